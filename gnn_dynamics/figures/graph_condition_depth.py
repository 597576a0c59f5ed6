"""How skip connections repair the graph condition: singular values against depth, per graph.

No skip: G_H = X S^H R (Theorem 1). Skip: the stack of G_0..G_H (Theorem 2).
"""

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.claims import names
from gnn_dynamics.figures import singular_values, style
from gnn_dynamics.summaries import select

COLUMNS = 4
CELL = ["dataset", "aggregation", "nodes"]
MISSING = (
    "No graph conditions were computed.",
    "Set `datasets` and `graph_condition` in the config.",
)


def shown(graph_condition: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    return select.fix(graph_condition, (*CELL, "multiscale", "depth"), select.DATA_FIRST)


def draw(rows: pd.DataFrame, fixed: dict) -> Figure:
    """A panel for each dataset, aggregation and set of nodes, from table `graph_condition`."""
    parts = _parts(rows)
    lines = -(-len(parts) // COLUMNS)
    figure = style.new_figure(0.75 + 1.75 * lines)
    axes = figure.subplots(lines, min(COLUMNS, len(parts)), squeeze=False).ravel()
    for ax, ((dataset, aggregation, nodes), part) in zip(axes, parts, strict=False):
        singular_values.draw(ax, part)
        ax.set_title(f"{names.name(dataset)}\n{names.name(aggregation)}, {nodes}")
    for ax in axes[len(parts) :]:
        ax.set_axis_off()
    style.legend_above(figure, singular_values.legend(), select.describe(fixed), columns=4)
    figure.supxlabel("depth H", fontsize=8)
    figure.supylabel(r"$\sigma^2_{\min}$", fontsize=8)
    return figure


def _parts(rows: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """((dataset, aggregation, nodes), rows) in the order of the panels."""
    datasets = select.ordered(rows["dataset"], "dataset")
    return sorted(
        rows.groupby(CELL),
        key=lambda part: (datasets.index(part[0][0]), part[0][1], part[0][2] == "all"),
    )


def measured(rows: pd.DataFrame, fixed: dict) -> list[str]:
    """For each panel: where the condition holds and how sigma^2 changes, skip and no skip."""
    sentences = [f"Setting: {select.describe(fixed)}."]
    for cell, part in _parts(rows):
        no_skip, skip = (select.keep(part, multiscale=value) for value in (False, True))
        if len(no_skip) and len(skip):
            sentences.append(
                f"{names.listed(*cell)}: the condition holds at {_share(no_skip)} depths (no skip)"
                f" and {_share(skip)} (skip); the smallest positive σ² goes {_change(no_skip)} (no"
                f" skip) and {_change(skip)} (skip)."
            )
    return sentences


def _share(part: pd.DataFrame) -> str:
    return f"{int(part['condition_holds'].sum())} of {len(part)}"


def _change(part: pd.DataFrame) -> str:
    part = part.sort_values("depth")
    ends = part["sigma_min_positive_sq"].iloc[[0, -1]].tolist()
    depths = part["depth"].iloc[[0, -1]].tolist()
    return f"from {ends[0]:.2g} at H = {depths[0]} to {ends[1]:.2g} at H = {depths[1]}"
