"""Jobs that go wrong at their first attempt, and jobs that need a GPU. For test_slurm.py.

They ask for more at each attempt as the workflow's own jobs do, and finish only if they got more.
"""


include: "../../rules/resources.smk"


rule all:
    input:
        expand("{name}.txt", name=["cancelled", "out_of_time", "out_of_memory"]),
        expand("gpu/{number}.txt", number=range(4)),


# Waits to be cancelled, unless Slurm gave it more memory than at first.
rule cancelled:
    output:
        "cancelled.txt",
    resources:
        **growing(mem_mb=500),
        runtime=5,
    shell:
        "[ $(squeue --noheader --jobs $SLURM_JOB_ID --format %m) != 500M ] || sleep 240; touch {output}"


# Runs into its limit, unless Slurm gave it more time than at first.
rule out_of_time:
    output:
        "out_of_time.txt",
    resources:
        **growing(runtime=1),
        mem_mb=500,
    shell:
        "[ $(squeue --noheader --jobs $SLURM_JOB_ID --format %l) != 1:00 ] || sleep 240; touch {output}"


# Needs more than its first attempt has, and less than its second.
rule out_of_memory:
    output:
        "out_of_memory.txt",
    resources:
        **growing(mem_mb=800),
        runtime=5,
    shell:
        "python3 -c 'import time; held = bytearray(900_000_000); time.sleep(8)'; touch {output}"


rule use_gpu:
    output:
        "gpu/{number}.txt",
    resources:
        mem_mb=500,
        runtime=5,
        gpu=1,
        slurm_partition="gpu",
    shell:
        "date +%s.%N > {output}; sleep 10; date +%s.%N >> {output};"
        " echo ${{CUDA_VISIBLE_DEVICES:-none}} >> {output}"


# For what is left when Snakemake is killed.
rule long:
    output:
        "long.txt",
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "[ -e finish ] || sleep 240; touch {output}"
