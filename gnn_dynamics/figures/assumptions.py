"""Figures 2 and 3: the two conditions of the theorems (Xu et al. 2021, Figures 2 and 3).

(a) the graph condition: smallest squared singular value of the aggregated features, (b) the
time-dependent condition: lambda_T along one run, (c) lambda_T at the end of every run. Figure 2 is
about networks without skip connections (Theorem 1), Figure 3 about those with (Theorem 2).
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.claims.lambda_T import INFIMA, lambda_T
from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.seed_bands import x_label
from gnn_dynamics.summaries import names, select

CELL = ["dataset", "aggregation"]
PROBLEM = [*CELL, "nodes"]  # the graph condition also depends on the nodes I
PAPERS_RUN = ("conditions", "flow")  # where (b) looks for the run that the paper shows
NODES = ("train", "all")  # short enough as they are
MOST_LETTERS = 60  # of labels side by side under the narrower panels
NO_RUNS = (
    "No linear runs with `observe: [time_condition]` (experiment 'conditions' or 'flow').",
    select.HOW_TO_GET,
)
INIT_MARKER = {"default": "o", "xavier": "s", "orthogonal": "^", "zero-head": "D"}
FULL, RESTRICTED = INFIMA.values()
LAMBDAS: dict[str, tuple[str, style.Look]] = {
    FULL: ("full", {"color": style.RED, "ls": style.SOLID}),
    RESTRICTED: ("restricted", {"color": style.BLUE, "ls": style.DASHED}),
}
Tables = tuple[pd.DataFrame, pd.DataFrame]  # of the graph condition, and of lambda_T


def shown(
    graph_condition: pd.DataFrame, time_condition: pd.DataFrame, multiscale: bool
) -> tuple[Tables, bool]:
    """Graph conditions of raw features, where there are any, and depths from 1; lambda_T."""
    lambdas = linear_runs(time_condition, multiscale)
    if graph_condition.empty:
        return (graph_condition, lambdas), multiscale
    rows = select.keep(graph_condition, multiscale=multiscale)
    rows, _ = select.fix(rows[rows["depth"] > 0], [*PROBLEM, "depth"], select.DATA_FIRST)
    return (rows, lambdas), multiscale


def linear_runs(time_condition: pd.DataFrame, multiscale: bool) -> pd.DataFrame:
    """KEYS, step and lambda_T, FULL and RESTRICTED, along the linear runs."""
    if time_condition.empty:
        return pd.DataFrame(columns=[*KEYS, "step", FULL, RESTRICTED])
    return lambda_T(select.keep(time_condition, multiscale=multiscale, activation="linear"))


def draw(tables: Tables, multiscale: bool) -> Figure:
    """Figure 2 (`multiscale` False) or Figure 3 (True); each panel states what is missing."""
    rows, lambdas = tables
    figure = style.new_figure(4.9)
    top, bottom = figure.subfigures(2, 1, squeeze=False)[:, 0]
    left, right = bottom.subplots(1, 2, width_ratios=[1, 1.9])
    _graph_panel(top.subplots(), rows, multiscale)
    _run_panel(left, lambdas)
    _end_panel(right, select.ends(lambdas))
    return figure


def _categories(ax: Axes, rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The position on the x axis of each row's values of `columns`, which label the axis."""
    datasets = select.ordered(rows["dataset"], "dataset")
    cells = rows[columns].apply(tuple, axis=1)
    ranked = sorted(set(cells), key=lambda c: (datasets.index(c[0]), c[1], "all" in c))
    labels = [
        "\n".join(part if part in NODES else names.name(part) for part in cell) for cell in ranked
    ]
    letters = sum(max(map(len, label.split("\n"))) for label in labels)
    if len(labels) > 10 or letters > MOST_LETTERS:
        flat = [label.replace("\n", ", ") for label in labels]
        ax.set_xticks(range(len(flat)), flat, rotation=60, ha="right", fontsize=6)
        ax.tick_params(axis="x", pad=1)
    else:
        ax.set_xticks(range(len(labels)), labels)
    ax.set_xlim(-0.6, len(labels) - 0.4)
    return cells.map(ranked.index)


def _graph_panel(ax: Axes, rows: pd.DataFrame, multiscale: bool) -> None:
    if rows.empty:
        style.missing(ax, "No graph conditions were computed.", "Set `datasets` in the config.")
        return
    matrix = r"$[X; XS; \ldots; XS^H]$" if multiscale else r"$XS^H$"
    features = names.name(rows["features"].iloc[0])
    title = f"graph condition: smallest squared singular value of {matrix}; {features}"
    style.letter(ax, "a", title)
    zero_y = log_axis.with_zero(ax, rows["sigma_min_sq"], "0: rank deficient")
    x, colours = _categories(ax, rows, PROBLEM), style.depth_colours(rows["depth"])
    for offset, depth in zip(np.linspace(-0.32, 0.32, len(colours)), sorted(colours), strict=True):
        values = rows["sigma_min_sq"][rows["depth"] == depth]
        look = {"color": colours[depth], "marker": "o", "label": f"{depth}"}
        _dots(ax, x[values.index] + offset, values, zero_y, **look)
    ax.set_ylabel(r"$\sigma^2_{\min}$")
    ax.legend(title="H", loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)


def _dots(ax: Axes, x: pd.Series, values: pd.Series, zero_y: float, **look: Any) -> None:
    """Filled markers for positive values, crosses on the zero strip for exact zeros."""
    zero = values == 0
    ax.plot(x[~zero], values[~zero], ls="", ms=4, **look)
    ax.plot(x[zero], [zero_y] * zero.sum(), "x", color=look["color"], ms=4, mew=1.2)


def _one_run(lambdas: pd.DataFrame) -> pd.DataFrame:
    """One run as in the paper: Cora, GCN, two layers, and, if there is one, a width >= m_x."""
    dataset = select.ordered(lambdas["dataset"], "dataset")[:1]
    rows = select.experiment(lambdas[lambdas["dataset"].isin(dataset)], *PAPERS_RUN)
    wide = rows["width"].isin(rows.loc[rows[FULL] > 0, "width"])
    rows, _ = select.fix(rows[wide] if wide.any() else rows, (), {"nodes": ("train", "all")})
    return rows[rows["seed"] == rows["seed"].min()]


def _run_panel(ax: Axes, lambdas: pd.DataFrame) -> None:
    run = _one_run(lambdas)
    if run.empty:
        style.missing(ax, *NO_RUNS)
        return
    first = run.iloc[0]
    style.letter(ax, "b", r"$\lambda_T$ along one run")
    values = np.r_[run[FULL], run[RESTRICTED]]
    zero_y = log_axis.with_zero(ax, values, "0: width below number of features")
    for column, (label, look) in LAMBDAS.items():
        ax.plot(run["step"], log_axis.zeros_at(run[column], zero_y), label=label, **look)
    if run["step"].median() < 0.2 * run["step"].max():  # recorded at logarithmic spacing
        ax.set_xscale("symlog", linthresh=1)
    ax.set_xlabel(x_label(first))
    ax.set_ylabel(r"$\lambda_T$ (running minimum)")
    graph = names.listed(first["dataset"], first["aggregation"])
    title = f"{graph}\nH = {first['depth']}, width {first['width']}"
    ax.legend(loc="best", title=title, title_fontsize=7)


def _end_panel(ax: Axes, last: pd.DataFrame) -> None:
    if last.empty:
        style.missing(ax, *NO_RUNS)
        return
    style.letter(ax, "c", rf"$\lambda_T$ at the end of all {len(last):,} runs")
    zero_y = log_axis.with_zero(ax, np.r_[last[FULL], last[RESTRICTED]])
    x = _categories(ax, last, CELL).astype(float)
    for _, part in last.groupby(CELL):
        x[part.index] += np.linspace(-0.15, 0.15, len(part)) if len(part) > 1 else 0
    inits = select.ordered(last["init"], "init")
    entries: dict[str, style.Look] = {}
    for (column, (label, line)), shift in zip(LAMBDAS.items(), (-0.2, 0.2), strict=True):
        entries[label] = {"color": line["color"], "marker": "s", "ls": "", "ms": 5}
        for init in inits:
            values = last[column][last["init"] == init]
            look = {"color": line["color"], "marker": INIT_MARKER.get(init, "v")}
            _dots(ax, x[values.index] + shift, values, zero_y, **look)
    for init in inits:
        marker = INIT_MARKER.get(init, "v")
        entries[init] = {"color": style.GREY, "marker": marker, "ls": "", "ms": 4}
    ax.set_ylabel(r"$\lambda_T$ at the end")
    handles = style.key(entries)
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1)


def measured(tables: Tables, multiscale: bool) -> list[str]:
    """Where the conditions hold, with the numbers."""
    rows, lambdas = tables
    return [*_graph_sentences(rows), *_time_sentences(select.ends(lambdas))]


def _graph_sentences(rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return []
    broken = rows[~rows["condition_holds"].astype(bool)]
    total = select.plural(len(rows), "cell")
    sentences = [f"(a) The graph condition holds in {len(rows) - len(broken)} of {total} shown."]
    return sentences + [_failure(cell, part) for cell, part in broken.groupby(PROBLEM)]


def _failure(cell: tuple[str, ...], part: pd.DataFrame) -> str:
    first = part.iloc[0]
    depths = ", ".join(map(str, sorted(part["depth"])))
    needed = min(first["rows"], first["cols"])
    nodes = first["culprit_nodes"]
    dependent = "" if nodes is None else f"; dependent columns: nodes {', '.join(map(str, nodes))}"
    return (
        f"It fails for {names.listed(*cell)}, H = {depths}:"
        f" rank {first['rank']} of {needed} at H = {first['depth']}{dependent}."
    )


def _time_sentences(last: pd.DataFrame) -> list[str]:
    if last.empty:
        return []
    zero, low = int((last[FULL] == 0).sum()), last[RESTRICTED]
    return [
        f"(c) The full λ_T is exactly 0 at the end of {zero:,} of {select.plural(len(last), 'run')}"
        " (a layer narrower than the number of features makes it 0 from the start).",
        f"Restricted to the column space of the features, it is between {low.min():.2g} and"
        f" {low.max():.2g} (median {low.median():.2g}); it is 0 in {int((low == 0).sum()):,} runs.",
    ]
