"""Write the report: verdicts first, then figures, methods and terms, in one HTML file."""

from _job import start

from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.report.build import build_report, load_results

provenance = start(snakemake)
results = load_results(
    snakemake.input.tables,
    snakemake.input.figures,
    snakemake.input.config,
    provenance,
    snakemake.input.rulegraph,
)
write_text(build_report(results), snakemake.output.report)
