"""How tight the theorems are: guaranteed rates compared with the measured one (Theorems 1 and 2).

All rates are for the squared loss (sum) under gradient flow, in units of 1/time, and bound
||grad L||^2 / (L - L*) from below. In the order of the chain (docs/theory.md):

    paper       4 lambda_T sigma_min^2, as printed
    restricted  the same with lambda on the features' column space and the smallest positive sigma
    sharp       4 sigma_r^2 of the hidden features, at every moment
    kernel      4 lambda_min of the neural tangent kernel, at every moment
    measured
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gnn_dynamics.figures import log_axis, style
from gnn_dynamics.summaries import names, select

CELL = ["dataset", "aggregation", "features", "multiscale"]
RATES: dict[str, tuple[str, str, style.Line, str]] = {
    "rate_measured": ("measured", style.BLACK, "-", "o"),
    "rate_kernel": ("kernel", style.ORANGE, (0, (4, 1, 1, 1)), "v"),
    "rate_sharp": ("sharp", style.GREEN, (0, (5, 1.2)), "s"),
    "rate_restricted": ("restricted", style.BLUE, (0, (2, 1)), "^"),
    "rate_paper": ("paper", style.RED, (0, (1, 1)), "D"),
}
BOUNDS: dict[str, tuple[str, str, style.Line]] = {
    "excess": ("measured", style.BLACK, "-"),
    "bound_integrated": ("integrated", style.PURPLE, (0, (5, 1.2))),
    "bound_restricted": ("restricted", style.BLUE, (0, (2, 1))),
    "bound_paper": ("paper", style.RED, (0, (1, 1))),
}
_, *GUARANTEES = RATES
_, *GUARANTEED_LOSSES = BOUNDS


def draw(bounds: pd.DataFrame) -> Figure:
    """(a) rates and (b) excess loss along one flow per model; (c) tightness over all flows.

    (c) has a row for each dataset, aggregation, features and model.
    """
    spread = tightness(bounds)
    cells = spread[CELL].drop_duplicates()
    height = 0.6 + 0.3 * len(cells)
    figure = style.new_figure(3.9 + height)
    top, bottom = figure.subfigures(2, 1, height_ratios=[3.9, height], squeeze=False)[:, 0]
    scales = sorted(bounds["multiscale"].unique())
    axes = top.subplots(2, len(scales), squeeze=False, sharex="col")
    for column, scale in zip(axes.T, scales, strict=True):
        _one_flow(column, one_flow(select.keep(bounds, multiscale=scale)))
    for ax in axes[:, -1]:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=2.4)
    _ratios(bottom.subplots(), spread, cells)
    return figure


def tightness(bounds: pd.DataFrame) -> pd.DataFrame:
    """Measured over guaranteed rate: CELL, guarantee, low (5 %), median, high (95 %), vacuous.

    A ratio of 1 means that the bound is attained. `vacuous` is the share of records with a
    guaranteed rate of 0, which have no ratio.
    """
    rows = []
    for cell, part in bounds.groupby(CELL, sort=True):
        for guarantee in GUARANTEES:
            known = part[guarantee].notna() & part["rate_measured"].notna()
            positive = part[known & (part[guarantee] > 0)]
            ratio = positive["rate_measured"] / positive[guarantee]
            low, median, high = ratio.quantile([0.05, 0.5, 0.95])
            vacuous = 1 - len(positive) / max(known.sum(), 1) if known.any() else np.nan
            rows.append((*cell, guarantee, low, median, high, vacuous))
    return pd.DataFrame(rows, columns=[*CELL, "guarantee", "low", "median", "high", "vacuous"])


def largest_ratio(bounds: pd.DataFrame) -> float:
    """Largest excess / bound over all records and bounds; above 1 a bound is broken.

    Records whose excess is within rounding of its start are left out.
    """
    start = bounds.groupby([*CELL, "depth", "seed"])["excess"].transform("max")
    rows = bounds[bounds["excess"] > 1e-9 * start]
    return float(max((rows["excess"] / rows[column]).max() for column in GUARANTEED_LOSSES))


def one_flow(bounds: pd.DataFrame) -> pd.DataFrame:
    """One run to show: if there is one, where the paper's bound is not vacuous."""
    useful = bounds[~bounds["vacuous"].astype(bool)]
    rows, _ = select.fix(useful if len(useful) else bounds, ())
    return rows[rows["seed"] == rows["seed"].min()].sort_values("step")


def _one_flow(axes: np.ndarray, run: pd.DataFrame) -> None:
    first, later = run.iloc[0], run[run["time"] > 0]
    zero_y = log_axis.with_zero(axes[0], later[list(RATES)].to_numpy().ravel())
    for column, (label, colour, line, _) in RATES.items():
        rate = log_axis.zeros_at(later[column], zero_y)
        axes[0].plot(later["time"], rate, color=colour, ls=line, label=label)
    for column, (label, colour, line) in BOUNDS.items():
        share = later[column] / first["excess"]
        axes[1].plot(later["time"], share, color=colour, ls=line, label=label)
    graph = names.listed(first["dataset"], first["aggregation"])
    model = f"{graph}, H = {first['depth']}, width {first['width']}"
    style.letter(axes[0], "a", f"{names.name(first['multiscale'])}: {model}")
    style.letter(axes[1], "b", "the same run")
    axes[0].set_ylabel("rate of decrease (1/time)")
    axes[1].set_ylabel("excess loss / its start")
    axes[1].set(xscale="log", yscale="log", xlabel="time of the gradient flow")
    axes[1].set_ylim(bottom=max(1e-12, (later["excess"] / first["excess"]).min() / 3))
    log_axis.plain_ticks(axes[1].yaxis)


def _ratios(ax: Axes, spread: pd.DataFrame, cells: pd.DataFrame) -> None:
    style.letter(ax, "c", "measured / guaranteed rate, all flows: median, 5 to 95 % of the records")
    order = list(cells.itertuples(index=False, name=None))
    for offset, guarantee in zip((-0.3, -0.1, 0.1, 0.3), GUARANTEES, strict=True):
        label, colour, _, marker = RATES[guarantee]
        part = select.keep(spread, guarantee=guarantee)
        y = np.array([order.index(c) for c in part[CELL].itertuples(index=False, name=None)])
        ax.hlines(y + offset, part["low"], part["high"], color=colour, lw=1.2)
        ax.plot(part["median"], y + offset, marker, color=colour, label=label)
        for text_y, share in zip(y + offset, part["vacuous"], strict=True):
            if share > 0:
                text = f"{label}: vacuous in {100 * share:.0f} %"
                across = ax.get_yaxis_transform()
                look: style.Look = {"ha": "right", "va": "center", "fontsize": 6, "color": colour}
                ax.text(0.995, text_y, text, transform=across, **look)
    ax.set_yticks(range(len(order)), [_cell_name(cell) for cell in order])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xscale("log")
    ax.axvline(1, color=style.BLACK, lw=0.7, ls=":")
    ax.set_xlim(left=0.7, right=ax.get_xlim()[1] * (30 if (spread["vacuous"] > 0).any() else 1))
    ax.set_xlabel("times faster than guaranteed (1 = the bound is attained)")
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)


def _cell_name(cell: tuple) -> str:
    dataset, aggregation, features, multiscale = cell
    graph = names.listed(dataset, aggregation)
    return f"{graph}, {features.replace('pca', 'PCA')}, {names.name(multiscale)}"


def measured(bounds: pd.DataFrame) -> list[str]:
    """How many records, how many hold, the largest ratio to a bound, and how loose each is."""
    holds, vacuous = int(bounds["holds"].sum()), int(bounds["vacuous"].sum())
    sentences = [
        f"{len(bounds):,} records of flow runs were checked; every bound holds in {holds:,} of"
        f" them. The paper's bound is vacuous (rate 0) in {vacuous:,}.",
        f"Largest ratio of the excess loss to a bound: {largest_ratio(bounds):.6f} (1 is allowed).",
    ]
    for guarantee in GUARANTEES:
        ratio = (bounds["rate_measured"] / bounds[guarantee]).where(bounds[guarantee] > 0).dropna()
        if len(ratio):
            sentences.append(
                f"The measured rate is {ratio.median():.3g} times the {RATES[guarantee][0]} rate in"
                f" the median and at least {ratio.min():.3g} times."
            )
    return sentences
