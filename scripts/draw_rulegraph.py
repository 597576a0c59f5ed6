"""Draw the rules of the workflow and their dependencies, as Snakemake prints them."""

import subprocess
import sys
from pathlib import Path

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.rulegraph import draw, parse_dot

provenance = start(snakemake)
snakefile = Path(__file__).resolve().parents[1] / "Snakefile"
command = [sys.executable, "-m", "snakemake", "all", "--rulegraph", "dot", "--snakefile", snakefile]
command += ["--configfile", snakemake.input.config]
dot = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
save_figure(draw(parse_dot(dot)), snakemake.output.png, snakemake.output.pdf, provenance)
