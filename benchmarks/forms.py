"""What the choice of the exact form changes in a run's tables: rounding, and how much of it.

`python -m benchmarks forms [results/paper [DATASET ...]]` trains the deepest blocks of every
experiment of a finished run in every form that is exact for them, with one seed and at most 100
steps, and writes results/benchmark/forms.parquet: for each experiment, form and column the largest
difference from the form that the engine chooses.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
import yaml
from tqdm import tqdm

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.config.grid import Block, blocks, entry
from gnn_dynamics.data.graph import Graph, load_graph
from gnn_dynamics.dynamics import flow
from gnn_dynamics.dynamics.sharpness import lambda_max
from gnn_dynamics.errors import UserError
from gnn_dynamics.models.forms import choose_form
from gnn_dynamics.runs import batch
from gnn_dynamics.runs import block as training
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.spectra.optimum import block_optimum

FORMS = ("stacked", "horner", "left", "row_space", "row_space+left", "svd")
STEPS, RECORDS = 100, 11
# The curvature that sets a flow's steps is found to 1 % from a start that depends on the form; here
# closer, so that steps can be compared one by one.
EXACTLY = partial(lambda_max, tolerance=1e-9)
WITHIN = ("step", "layer", "term", "index")  # keys of the rows of one run
ROUNDING = (
    "conservation_drift",
    "relative_error",
    "rate_kernel_error",
)  # small differences themselves
Tables = dict[str, pd.DataFrame]


def main(run: str = "results/paper", *datasets: str) -> None:
    """Measure on these data sets, or on all of the run; print and write."""
    torch.set_num_threads(1)
    config = yaml.safe_load((Path(run) / "config.yaml").read_text(encoding="utf-8"))
    graph = cache(lambda name: load_graph(Path("data") / "prepared" / f"{name}.npz"))
    found = []
    chosen = [one for one in deepest(config) if not datasets or one.dataset in datasets]
    for block in tqdm(chosen, desc="blocks", unit="block"):
        rows = differences(graph(block.dataset), shortened(entry(config, block.experiment)), block)
        found += [{"experiment": block.experiment, "block": block.id, **row} for row in rows]
    table = pd.DataFrame(found)
    worst = table.groupby(["experiment", "table", "column"])["difference"].max().unstack([1, 2])
    print(worst.to_string(float_format="{:.1e}".format))
    write_table(
        table, Path("results") / "benchmark" / "forms.parquet", Table(), {"run": Path(run).name}
    )


def deepest(config: Mapping[str, Any]) -> list[Block]:
    """Of the linear blocks that differ in depth alone, the deepest."""
    last = {}
    for block in blocks(config):
        if block.activation == "linear":
            key = (block.experiment, block.dataset, block.aggregation, block.multiscale)
            last[key] = max(block, last.get(key, block), key=lambda one: one.depth)
    return list(last.values())


def shortened(settings: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment of one seed and few steps; a fixed rate in place of a search for the best."""
    short = {"steps": min(settings["steps"], STEPS), "record": min(settings["record"], RECORDS)}
    fixed = {"lr": [1e-4]} if settings.get("lr") == "auto" else {}
    fixed |= {"integrator": "runge-kutta"} if "flow" in settings["optimizer"] else {}
    return {**settings, **short, **fixed, "seed": settings["seed"][:1]}


def differences(graph: Graph, settings: Mapping[str, Any], block: Block) -> Iterator[dict]:
    """For each other exact form and number: the largest difference, over its run's largest."""
    train = partial(_tables, graph, settings, block, block_optimum(graph, settings, block))
    chosen = train("auto")
    trained_already = set(chosen["training"]["form"])
    for form in FORMS:
        if trained_already == {form}:
            continue
        try:
            tables = train(form)
        except UserError as error:
            if not str(error).startswith("form:"):
                raise
            continue
        for name, frame in tables.items():
            for column, difference in compared(name, chosen[name], frame):
                yield {"form": form, "table": name, "column": column, "difference": difference}


def _tables(
    graph: Graph, settings: Mapping[str, Any], block: Block, optimum: pd.DataFrame, form: str
) -> Tables:
    """The tables of a block whose batches all train in one form."""
    forced = patch.object(batch, "choose_form", partial(choose_form, form=form))
    steps, starts = (patch.object(module, "lambda_max", EXACTLY) for module in (flow, training))
    with forced, steps, starts, contextlib.redirect_stderr(io.StringIO()):
        return training.train_block(graph, settings, block, optimum)


def compared(name: str, ours: pd.DataFrame, other: pd.DataFrame) -> Iterator[tuple[str, float]]:
    """The numbers of a table that are no keys, each with the largest |a - b| / max |a| of a run."""
    keys = [key for key in BLOCK_TABLES[name].keys if key in ours]
    if ours.empty:
        return
    ours, other = (table.sort_values(keys, ignore_index=True) for table in (ours, other))
    if not ours[keys].equals(other[keys]):
        raise SystemExit(f"{name}: the forms recorded different steps")
    runs = ours.groupby([key for key in keys if key not in WITHIN], dropna=False)
    for column in ours.select_dtypes("number").columns.difference([*keys, *ROUNDING]):
        scale = ours[column].abs().groupby(runs.ngroup()).transform("max")
        share = (ours[column] - other[column]).abs() / scale
        lost = ours[column].isna() != other[column].isna()
        yield column, float("inf") if lost.any() else float(share.where(scale > 0, 0.0).max())
