"""All designs of the engine against plain PyG: results/benchmark/engine.parquet and a roofline.

share_of_roof compares with what one thread of this machine reaches at best, measured in the same
process: the rate of a large matrix product, and a copy within the cache.
"""

import pandas as pd
import torch

from benchmarks import linear, relu
from benchmarks.measure import FOLDER, roofs
from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.figures.style import context, new_figure
from gnn_dynamics.linalg.memory import keep_freed_memory


def main() -> None:
    """Measure, print, and write the table with its picture."""
    torch.set_num_threads(1)
    keep_freed_memory()
    print(roof_line(), flush=True)
    rows = []
    for entry in (*linear.rows(), *relu.rows()):
        print(line(entry), flush=True)
        rows.append(entry)
    table = pd.DataFrame(rows)
    provenance = {"torch": torch.__version__, "roofs": roof_line()}
    write_table(table, FOLDER / "engine.parquet", Table(), provenance)
    save_figure(roofline(table), FOLDER / "roofline.png", FOLDER / "roofline.pdf", provenance)


def roof_line() -> str:
    roof = roofs(torch.float64)
    return f"one thread, float64: {roof.flops / 1e9:.1f} GFLOP/s, {roof.bytes / 1e9:.1f} GB/s in L2"


def line(entry: dict) -> str:
    """One row for the eye."""
    share, ratio = entry["share_of_roof"], entry["ratio_to_pyg"]
    against = "PyG" if ratio else "R1 R2"
    ratio = ratio or entry["ratio_to_r1r2"]
    text = f"{entry['cell']:58} {entry['precision']:8} {entry['design']:18}"
    text += f" {1e6 * entry['seconds_per_model_step']:10.1f} us  x{ratio:7.1f} of {against:6}"
    return text + (f" {share:5.0%} of the roof" if share else "")


@context()
def roofline(table: pd.DataFrame):
    """FLOP per byte against FLOP per second, each design a point under the measured roof."""
    fig = new_figure(height=4.2)
    ax = fig.subplots()
    counted = table[(table.precision == "float64") & table.flops.notna()]
    roof = roofs(torch.float64)
    draw_roof(ax, roof.flops, roof.bytes)
    for cell, rows in counted.groupby("cell", sort=False):
        intensity = rows.flops / rows.bytes
        ax.plot(intensity, rows.flops / rows.seconds_per_model_step / 1e9, "o", label=cell)
    ax.set(xscale="log", yscale="log", xlabel="FLOP per byte that must move", ylabel="GFLOP/s")
    fig.legend(loc="outside lower center", fontsize="x-small")
    return fig


def draw_roof(ax, flops: float, bandwidth: float) -> None:
    ridge = flops / bandwidth
    intensity = [ridge / 64, ridge, ridge * 64]
    reached = [min(flops, x * bandwidth) / 1e9 for x in intensity]
    ax.plot(intensity, reached, color="black", label="this machine: L2 copy, large product")


if __name__ == "__main__":
    main()
