"""The effect of depth by measure and by learning rate, and the sharpness behind it.

Cells of claim 10 in one setting, of gradient flow and of gradient descent; rows of training.
"""

import pandas as pd

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.summaries import effects, select
from gnn_dynamics.summaries.effects import FIRST, GRAPH

MEASURES = {
    "flow_time": "flow\ntime",
    "equal_lr_steps": "equal\nrate",
    "best_lr_steps": "own best\nrate",
}
PAIR = ["multiscale", "depth", "other"]
MODEL = ["multiscale", "depth", "lr"]
# A graph's measures of speed are compared in one setting of these; rates and widths come later.
SETTING = ["features", "nodes", "init", "loss_fn"]
THRESHOLD = ["threshold", "threshold_kind"]
FREE = ("multiscale", "depth", "optimizer", "lr")


def shown(comparisons: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """The cells of one graph in one setting, and the keys that are fixed.

    The graph is the first of those with the most measures. Columns are those of the table, with
    `other` (the shallower depth) as a number. The thresholds of each pair of depths are those that
    most of its measures have.
    """
    rows = _cells(comparisons)
    if rows.empty:
        return rows, {}
    return _one_setting(_most_measures(rows, [*GRAPH, *SETTING]))


def _cells(comparisons: pd.DataFrame) -> pd.DataFrame:
    rows = effects.judged(comparisons, ["10"], list(MEASURES))
    if rows.empty:
        return rows
    rows = rows[rows["optimizer"].isin(["flow", "gd"])]
    return rows.assign(other=rows["other"].astype(int), depth=rows["depth"].astype(int))


def _most_measures(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows of those values of `keys` that have the most measures of speed."""
    count = rows.groupby(keys)["measure"].transform("nunique")
    return rows[count == count.max()]


def _one_setting(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    """Fix the setting, the width too if some width has all measures, and the thresholds."""
    rows, fixed = select.fix(rows, (*FREE, "width"), FIRST)
    count = rows.groupby("width")["measure"].transform("nunique")
    wide = rows[count == rows["measure"].nunique()]
    if len(wide):
        rows, fixed = select.fix(wide, FREE, FIRST)
    # A measure that reaches fewer thresholds than another would be a median over other cells.
    pairs = [_most_measures(pair, THRESHOLD) for _, pair in rows.groupby(PAIR)]
    return pd.concat(pairs), fixed


def other_graphs(comparisons: pd.DataFrame, fixed: dict) -> pd.DataFrame:
    """Medians for every other graph, each in its own setting: GRAPH, PAIR, measure, effect, ..."""
    rows = _cells(comparisons)
    rest = rows[(rows[GRAPH] != pd.Series({key: fixed[key] for key in GRAPH})).any(axis=1)]
    settled = [_one_setting(_most_measures(part, SETTING))[0] for _, part in rest.groupby(GRAPH)]
    return effects.medians(pd.concat([rest[:0], *settled]), [*GRAPH, *PAIR, "measure"])


def best_rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Median best rate of gradient descent over cells: multiscale, depth, lr."""
    best = rows[rows["measure"] == "best_lr_steps"]
    sides = [
        best[["multiscale", depth, rate]].set_axis(MODEL, axis=1)
        for depth, rate in (("depth", "best_lr"), ("other", "best_lr_other"))
    ]
    return pd.concat(sides).groupby(MODEL[:2])["lr"].median().reset_index()


def sharpness(training: pd.DataFrame | None, fixed: dict) -> pd.DataFrame:
    """Largest lr * lambda_max of the runs in the fixed setting, over their seeds.

    Returns columns MODEL, low, median, high (runs that did not diverge), runs, diverged (numbers).
    """
    columns = [*MODEL, "low", "median", "high", "runs", "diverged"]
    if training is None or training.empty or not training["lr_lambda_max"].notna().any():
        return pd.DataFrame(columns=columns)
    rows = select.keep(training, **fixed, optimizer="gd")
    by_run = rows.groupby([key for key in KEYS if key in rows], dropna=False)
    runs = by_run.agg(
        largest=("lr_lambda_max", "max"), diverged=("status", lambda s: (s == "diverged").any())
    ).reset_index()
    runs["largest"] = runs["largest"].where(~runs["diverged"])
    models = runs.groupby(MODEL)
    spread = models["largest"].agg(low="min", median="median", high="max", runs="size")
    return spread.assign(diverged=models["diverged"].sum()).reset_index()[columns]


def by_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians over thresholds and their kinds: PAIR, lr (0 for gradient flow), effect, ..."""
    equal = rows[rows["measure"].isin(["flow_time", "equal_lr_steps"])]
    return effects.medians(equal.assign(lr=equal["lr"].fillna(0.0)), [*PAIR, "lr"])


def describe(rows: pd.DataFrame, fixed: dict) -> str:
    """The setting that all cells share, with the widths if measures have different ones."""
    setting = {key: value for key, value in fixed.items() if key not in ("activation", "labels")}
    widths = " and ".join(f"{width:.0f}" for width in sorted(set(rows["width"])))
    return select.describe(setting) + ("" if "width" in fixed else f", widths {widths}")
