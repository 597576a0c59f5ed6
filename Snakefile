"""From graph files to the paper's figures and claims: what is made from what.

Rules are in rules/, what a rule runs is scripts/<rule>.py, the science is in gnn_dynamics/.
Settings: config/README.md. Targets: all, data, spectral, grid, claims, figures.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "report/workflow.rst"


# Rules run in the environment that Snakemake runs in (`make`); used with `--sdm apptainer` only.
container: "docker://python:3.11-slim-bookworm"


include: "rules/common.smk"
include: "rules/resources.smk"


pathvars:
    results=f"results/{config['run']}",
    logs=f"results/{config['run']}/logs",
    benchmarks=f"results/{config['run']}/benchmarks",


# Snakemake 9.27 limits the rate of jobs. With the limit it checks its queue once more per second for
# every finished job: hundreds of times a second in a long run. Local jobs do not need the limit.
onstart:
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


# The first rule is the default target. `default_target` would make it the default of every workflow
# that imports this one as a module.
rule all:
    input:
        report="<results>/report.html",
        figures=FIGURES,
        pdf=[name.replace(".png", ".pdf") for name in FIGURES],
        tables=TABLES.values(),
        config="<results>/config.yaml",
        parts=PARTS,


include: "rules/data.smk"
include: "rules/spectral.smk"
include: "rules/train.smk"
include: "rules/collect.smk"
include: "rules/verify.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
