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

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.figures.seed_bands import x_label
from gnn_dynamics.summaries import names, select
from gnn_dynamics.summaries.lambda_T import FULL, RESTRICTED, lambda_T

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
_LOOK = {
    FULL: (style.RED, "full", style.SOLID),
    RESTRICTED: (style.BLUE, "restricted", style.DASHED),
}


@style.styled
def draw(
    graph_condition: pd.DataFrame | None, time_condition: pd.DataFrame | None, multiscale: bool
) -> Figure:
    """Figure 2 (`multiscale` False) or Figure 3 (True) from the tables of these names."""
    figure = style.new_figure(4.9)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1], squeeze=False)[:, 0]
    left, right = bottom.subplots(1, 2, width_ratios=[1, 1.9])
    _graph_panel(top.subplots(), _condition_rows(graph_condition, multiscale), multiscale)
    lambdas = lambda_T(time_condition, multiscale)
    if lambdas.empty:
        for ax in (left, right):
            style.missing(ax, *NO_RUNS)
    else:
        _run_panel(left, _one_run(lambdas))
        _end_panel(right, select.ends(lambdas))
    return figure


def _condition_rows(graph_condition: pd.DataFrame | None, multiscale: bool) -> pd.DataFrame:
    """Raw features where there are any, depths from 1."""
    if graph_condition is None or graph_condition.empty:
        return pd.DataFrame(columns=[*PROBLEM, "features", "depth", "sigma_min_sq"])
    rows = select.keep(graph_condition, multiscale=multiscale)
    return select.fix(rows[rows["depth"] > 0], [*PROBLEM, "depth"], select.DATA_FIRST)[0]


def _categories(rows: pd.DataFrame, columns: list[str]) -> dict[tuple, int]:
    cells = set(rows[columns].itertuples(index=False, name=None))
    datasets = select.ordered({cell[0] for cell in cells}, "dataset")
    ranked = sorted(cells, key=lambda c: (datasets.index(c[0]), c[1], "all" in c))
    return {cell: position for position, cell in enumerate(ranked)}


def _ticks(ax: Axes, categories: dict[tuple, int]) -> None:
    labels = [
        "\n".join(part if part in NODES else names.name(part) for part in cell)
        for cell in categories
    ]
    letters = sum(max(map(len, label.split("\n"))) for label in labels)
    if len(labels) > 10 or letters > MOST_LETTERS:
        flat = [label.replace("\n", ", ") for label in labels]
        ax.set_xticks(range(len(flat)), flat, rotation=60, ha="right", fontsize=6)
        ax.tick_params(axis="x", pad=1)
    else:
        ax.set_xticks(range(len(labels)), labels)
    ax.set_xlim(-0.6, len(labels) - 0.4)
    ax.grid(axis="y")


def _graph_panel(ax: Axes, rows: pd.DataFrame, multiscale: bool) -> None:
    matrix = r"$[X; XS; \ldots; XS^H]$" if multiscale else r"$XS^H$"
    if rows.empty:
        style.missing(ax, "No graph conditions were computed.", "Set `datasets` in the config.")
        return
    features = names.name(rows["features"].iloc[0])
    title = f"graph condition: smallest squared singular value of {matrix}; {features}"
    style.letter(ax, "a", title)
    categories, colours = _categories(rows, PROBLEM), style.depth_colours(rows["depth"])
    zero_y = log_axis.with_zero(ax, rows["sigma_min_sq"], "0: rank deficient")
    spread = np.linspace(-0.32, 0.32, len(colours))
    for offset, depth in zip(spread, sorted(colours), strict=True):
        part = rows[rows["depth"] == depth]
        x = np.array(
            [categories[cell] for cell in part[PROBLEM].itertuples(index=False, name=None)]
        )
        _dots(ax, x + offset, part["sigma_min_sq"], zero_y, colours[depth], label=f"{depth}")
    _ticks(ax, categories)
    ax.set_ylabel(r"$\sigma^2_{\min}$")
    ax.legend(title="H", loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)


def _dots(
    ax: Axes,
    x: np.ndarray,
    values: pd.Series,
    zero_y: float,
    colour: object,
    marker: str = "o",
    **look: Any,
) -> None:
    """Filled markers for positive values, crosses on the zero strip for exact zeros."""
    zero = (values == 0).to_numpy()
    ax.plot(x[~zero], values[~zero], marker, color=colour, ms=4, **look)
    ax.plot(x[zero], np.full(zero.sum(), zero_y), "x", color=colour, ms=4, mew=1.2)


def _one_run(lambdas: pd.DataFrame) -> pd.DataFrame:
    """One run as in the paper: Cora, GCN, two layers, and, if there is one, a width >= m_x."""
    dataset = select.ordered(lambdas["dataset"], "dataset")[0]
    rows = select.experiment(select.keep(lambdas, dataset=dataset), *PAPERS_RUN)
    wide = rows["width"].isin(rows.loc[rows[FULL] > 0, "width"])
    rows, _ = select.fix(rows[wide] if wide.any() else rows, (), {"nodes": ("train", "all")})
    return rows[rows["seed"] == rows["seed"].min()]


def _run_panel(ax: Axes, run: pd.DataFrame) -> None:
    if run.empty:
        style.missing(ax, *NO_RUNS)
        return
    first = run.iloc[0]
    style.letter(ax, "b", r"$\lambda_T$ along one run")
    values = np.r_[run[FULL], run[RESTRICTED]]
    zero_y = log_axis.with_zero(ax, values, "0: width below number of features")
    for column, (colour, label, line) in _LOOK.items():
        values = log_axis.zeros_at(run[column], zero_y)
        ax.plot(run["step"], values, color=colour, ls=line, label=label)
    if run["step"].median() < 0.2 * run["step"].max():  # recorded at logarithmic spacing
        ax.set_xscale("symlog", linthresh=1)
    ax.set_xlabel(x_label(first))
    ax.set_ylabel(r"$\lambda_T$ (running minimum)")
    ax.grid(axis="y")
    graph = names.listed(first["dataset"], first["aggregation"])
    title = f"{graph}\nH = {first['depth']}, width {first['width']}"
    ax.legend(loc="best", title=title, title_fontsize=7)


def _end_panel(ax: Axes, last: pd.DataFrame) -> None:
    style.letter(ax, "c", rf"$\lambda_T$ at the end of all {len(last):,} runs")
    categories = _categories(last, CELL)
    zero_y = log_axis.with_zero(ax, np.r_[last[FULL], last[RESTRICTED]])
    for column, shift in ((FULL, -0.2), (RESTRICTED, 0.2)):
        for pair, part in last.groupby(CELL, sort=True):
            jitter = np.linspace(-0.15, 0.15, len(part)) if len(part) > 1 else np.zeros(1)
            x = pd.Series(categories[pair] + shift + jitter, part.index)
            for init in select.ordered(part["init"], "init"):
                own = part[part["init"] == init]
                marker, colour = INIT_MARKER.get(init, "v"), _LOOK[column][0]
                _dots(ax, x[own.index].to_numpy(), own[column], zero_y, colour, marker)
    _ticks(ax, categories)
    ax.set_ylabel(r"$\lambda_T$ at the end")
    ax.legend(handles=_end_legend(last), loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1)


def _end_legend(last: pd.DataFrame) -> list:
    entries: dict[str, style.Look] = {
        label: {"color": colour, "marker": "s", "ls": "", "ms": 5}
        for colour, label, _ in _LOOK.values()
    }
    for init in select.ordered(last["init"], "init"):
        marker = INIT_MARKER.get(init, "v")
        entries[init] = {"color": style.GREY, "marker": marker, "ls": "", "ms": 4}
    return style.key(entries)


def measured(
    graph_condition: pd.DataFrame | None, time_condition: pd.DataFrame | None, multiscale: bool
) -> list[str]:
    """Where the conditions hold, with the numbers."""
    return _graph_sentences(graph_condition, multiscale) + _time_sentences(
        select.ends(lambda_T(time_condition, multiscale))
    )


def _graph_sentences(graph_condition: pd.DataFrame | None, multiscale: bool) -> list[str]:
    rows = _condition_rows(graph_condition, multiscale)
    if rows.empty:
        return []
    broken = rows[~rows["condition_holds"].astype(bool)]
    total = select.plural(len(rows), "cell")
    sentences = [f"(a) The graph condition holds in {len(rows) - len(broken)} of {total} shown."]
    return sentences + [_failure(cell, part) for cell, part in broken.groupby(PROBLEM)]


def _failure(cell: tuple[str, ...], part: pd.DataFrame) -> str:
    first = part.iloc[0]
    depths = ", ".join(str(depth) for depth in sorted(part["depth"]))
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
