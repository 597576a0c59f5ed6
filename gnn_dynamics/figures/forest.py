"""A forest plot of one claim: a line for each graph, a diamond for all of them.

Speed is a factor on a logarithmic axis: right of 1 the side that the claim calls faster is faster.
Accuracy is a difference in points. A column is an aggregation; where skips are not what is
compared, colour tells them apart.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from gnn_dynamics.claims import names
from gnn_dynamics.claims.conclusion import phrase
from gnn_dynamics.claims.evidence import POOLED
from gnn_dynamics.claims.strata import BESIDE, networks
from gnn_dynamics.claims.units import LOG2, POINTS
from gnn_dynamics.claims.words import factor
from gnn_dynamics.figures import style

LINE = 0.2  # inches for each row
# Effects beyond 32 times, or 50 points, are drawn at the edge, with an arrow; but not most of them.
LEAST, MOST = {LOG2: 1.0, POINTS: 2.0}, {LOG2: 5.0, POINTS: 50.0}
SHORT = {"deep_accuracy": "deep against shallow", "accuracy": "same depth"}  # titles
COLOURS = {"with skips": style.BLUE, "without skips": style.RED, "": style.BLACK}


class Row(NamedTuple):
    """A line of the plot: what it is called, and its rows of `evidence.parquet` by network."""

    label: str
    pooled: bool
    effects: dict[str, Any]


def shown(evidence: pd.DataFrame, graphs: pd.DataFrame, claim: str) -> tuple:
    """Primary rows of the claim with those beside them in the same unit; homophily by graph."""
    if evidence.empty:
        return evidence, {}
    rows = evidence[evidence["claim"] == claim]
    primary = rows["primary"].astype(bool)
    rows = rows[primary | rows["measure"].isin(BESIDE) & rows["unit"].isin(rows["unit"][primary])]
    known = (
        {} if graphs.empty else dict(zip(graphs["dataset"], graphs["edge_homophily"], strict=True))
    )
    return rows, known


def draw(rows: pd.DataFrame, homophily: dict[str, float]) -> Figure:
    """From tables `evidence` and `graphs`. Thick: 95 % interval; thin: interval for a new graph.

    Graphs are in the order of the first network's effects, their homophily beside them.
    """
    lines = _lines(rows, homophily)
    columns = list(dict.fromkeys(rows.sort_values("aggregation")["aggregation"]))
    figure = style.new_figure(0.95 + LINE * len(lines), style.NARROW)
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    unit = rows["unit"].iloc[0]
    for ax, aggregation in zip(axes, columns, strict=True):
        reach = reach_of(rows[rows["aggregation"] == aggregation])
        for y, line in enumerate(lines):
            for network, row in line.effects.items():
                if row.aggregation == aggregation:
                    _mark(ax, y + _offset(network), row, _colour(network), line.pooled, reach)
        (factor_axis if unit == LOG2 else points_axis)(ax, reach)
        ax.set_title(_column_title(rows[rows["aggregation"] == aggregation]))
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(lines)), [line.label for line in lines], fontsize=8)
    axes[0].set_ylim(len(lines) - 0.4, -0.6)
    for label, line in zip(axes[0].get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if line.pooled else "normal")
    found = {network for line in lines for network in line.effects}
    looks = {skips(network): {"color": _colour(network), "lw": 2.5} for network in sorted(found)}
    if "" not in looks:
        figure.legend(handles=style.key(looks), loc="outside upper right", ncols=2)
    return figure


def _lines(rows: pd.DataFrame, homophily: dict[str, float]) -> list[Row]:
    """The graphs of the leading strata and their pooled effect; then the other strata, pooled.

    Where too few graphs were pooled, the other strata have a line for each graph as well.
    """
    primary = rows["primary"].astype(bool)
    strata = networks(rows[primary])
    leads = {network: found[0] for network, found in strata.items()}
    lines = [
        *_graph_lines(leads, "", homophily),
        *_pooled_line(leads, "all graphs"),
    ]
    titles: dict[str, dict[str, pd.DataFrame]] = {}
    for network, found in strata.items():
        for stratum in found[1:]:
            titles.setdefault(_title(stratum), {})[network] = stratum
    beside = rows[~primary].sort_values("depth", na_position="first")
    for depth, part in beside.groupby("depth", dropna=False, sort=False):
        for network, found in networks(part).items():
            title = _title(found[0]) + ("" if pd.isna(depth) else f", H = {depth:g}")
            titles.setdefault(title, {})[network] = found[0]
    for title, parts in titles.items():
        pooled = _pooled_line(parts, title)
        lines += pooled or _graph_lines(parts, title, {})
    return lines


def _column_title(rows: pd.DataFrame) -> str:
    """`GCN, flow time`."""
    lead = next(iter(networks(rows[rows["primary"].astype(bool)]).values()))[0]
    return f"{names.name(lead['aggregation'].iloc[0])}, {_title(lead)}"


def _title(stratum: pd.DataFrame) -> str:
    """`flow time`, `steps of Adam, Glorot's`."""
    first = stratum.iloc[0]
    init = "" if first["init"] == "default" else f", {phrase('init', first['init']).split()[0]}"
    return SHORT.get(first["measure"], phrase("measure", first["measure"])) + init


def _graph_lines(
    strata: dict[str, pd.DataFrame], title: str, homophily: dict[str, float]
) -> list[Row]:
    known = {
        network: stratum[(stratum["graph"] != POOLED) & stratum["effect"].notna()]
        for network, stratum in strata.items()
    }
    order = pd.concat(known.values()).drop_duplicates("graph").sort_values("effect")["graph"]
    lines = []
    for graph in order[::-1]:
        effects = {
            n: r for n, part in known.items() for r in part[part["graph"] == graph].itertuples()
        }
        beside = f"   {homophily[graph]:.2f}" if graph in homophily else ""
        label = f"{names.name(graph)}{', ' if title else ''}{title}{beside}"
        lines.append(Row(label, False, effects))
    return lines


def _pooled_line(strata: dict[str, pd.DataFrame], title: str) -> list[Row]:
    effects = {
        network: row
        for network, stratum in strata.items()
        for row in stratum[stratum["graph"] == POOLED].itertuples()
    }
    return [Row(title, True, effects)] if effects else []


def skips(network: str) -> str:
    """`with skips`, `without skips`, or nothing, of a network's name."""
    return next((word for word in ("with skips", "without skips") if network.endswith(word)), "")


def _colour(network: str) -> str:
    return COLOURS[skips(network)]


def _offset(network: str) -> float:
    return {"with skips": -0.17, "without skips": 0.17}.get(skips(network), 0.0)


def reach_of(rows: pd.DataFrame) -> float:
    """The largest effect that is drawn in its place; both sides get as much."""
    effects = rows[["effect", "ci_low", "ci_high"]].abs().to_numpy(dtype=float)
    unit = rows["unit"].iloc[0] if len(rows) else LOG2
    most = max(MOST[unit], 1.5 * rows["effect"].abs().median())
    return float(np.clip(1.15 * np.nanmax(effects, initial=0.5), LEAST[unit], most))


def factor_axis(ax: Axes, reach: float, wide: bool = True) -> None:
    """An axis of log2 effects, with the factors 1/4, 1/2, 1, 2, 4 as ticks; fewer if not wide."""
    step = 1 if reach <= (3.2 if wide else 2) else 2 if reach <= 7 else int(reach // 2)
    ticks = np.arange(-step * int(reach // step), reach + 0.01, step)
    ax.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="x", labelsize=8)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: as_factor(x)))
    _effect_axis(ax, reach, "times sooner")


def points_axis(ax: Axes, reach: float) -> None:
    """An axis of differences in accuracy."""
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: as_points(x)))
    _effect_axis(ax, reach, "points of test accuracy")


def as_points(difference: float) -> str:
    """A difference with its sign."""
    return f"{difference:+g}".replace("-", "−") if difference else "0"


def _effect_axis(ax: Axes, reach: float, label: str) -> None:
    ax.set_xlim(-reach, reach)
    ax.axvline(0, color=style.BLACK, lw=0.8, zorder=1)
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(label)


def as_factor(effect: float) -> str:
    """A tick's effect (log2) as a factor: `1/2`, `4`."""
    return f"{2.0**effect:g}" if effect >= 0 else f"1/{2.0**-effect:g}"


def _mark(ax: Axes, y: float, row: Any, colour: str, pooled: bool, reach: float) -> None:
    low, high = np.clip([row.ci_low, row.ci_high], -reach, reach)
    centre = float(np.clip(row.effect, -reach, reach))
    if pooled:
        ends = np.clip([row.prediction_low, row.prediction_high], -reach, reach)
        ax.hlines(y, *ends, color=colour, lw=0.8)
        height = 0.3
        corners = [(low, y), (centre, y - height), (high, y), (centre, y + height)]
        ax.fill(*zip(*corners, strict=True), color=colour, lw=0, zorder=3)
        return
    ax.hlines(y, low, high, color=colour, lw=1.6)
    hollow = row.bounded > row.pairs / 2  # mostly bounds: the true effect is larger
    ax.plot(
        centre,
        y,
        marker(row, reach),
        color=colour,
        ms=4,
        mfc="white" if hollow else colour,
        zorder=4,
    )


def marker(row: Any, reach: float) -> str:
    """A diamond for all graphs, a dot for one, an arrow where the effect is beyond the axis."""
    if abs(row.effect) > reach:
        return ">" if row.effect > 0 else "<"
    return "D" if row.graph == POOLED else "o"


def measured(rows: pd.DataFrame, homophily: dict[str, float]) -> list[str]:
    """The leading stratum of each network."""
    sentences = []
    for network, strata in networks(rows[rows["primary"].astype(bool)]).items():
        judged = strata[0][strata[0]["judged"].astype(bool)]
        words = "; ".join(_where(row) for row in judged.itertuples())
        sentences.append(f"{network}, {_title(strata[0])}: {words}.")
    return sentences


def _where(row: Any) -> str:
    graph = f"all {row.graphs} graphs" if row.graph == POOLED else names.name(row.graph)
    return f"{factor(row)} on {graph}"
