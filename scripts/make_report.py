"""Write the report of a run as one HTML file."""

from _job import start

from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.report.build import build_report
from gnn_dynamics.report.results import load_results

provenance = start(snakemake)
results = load_results(
    snakemake.input.tables,
    snakemake.input.figures,
    snakemake.input.config,
    provenance,
    snakemake.input.rulegraph,
)
write_text(build_report(results), snakemake.output.report)
