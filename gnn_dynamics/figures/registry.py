"""All figures: title, what to see in them, the tables they read, and how they are drawn.

The text says what to look at, and holds for any result; numbers come from `measured`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from gnn_dynamics.figures import (
    appendix,
    assumptions,
    bound_tightness,
    claims,
    gradient_terms,
    graph_condition_depth,
    linear_vs_relu,
    mechanism,
    negative_results,
    step_size,
    style,
    training_speed,
    what_predicts,
)


@dataclass(frozen=True)
class Entry:
    """A figure; `draw` and `measured` take the tables named in `tables`, in that order."""

    stem: str
    title: str
    see: str
    tables: tuple[str, ...]
    draw: Callable[..., Figure]
    measured: Callable[..., list[str]]

    def arguments(self, tables: Mapping[str, pd.DataFrame | None]) -> list[pd.DataFrame | None]:
        return [tables.get(name) for name in self.tables]

    def sentences(self, tables: Mapping[str, pd.DataFrame | None]) -> list[str]:
        """What is measured in the figure; nothing where a table is absent."""
        arguments = self.arguments(tables)
        return [] if any(table is None for table in arguments) else self.measured(*arguments)


FIGURES = (
    Entry(
        "claims",
        "Every claim and its effect on every graph",
        "Each block is one claim with its verdict. For claims about speed there is a line for each"
        " graph and measure: right of 0 the side that the claim calls faster was faster; +1 means"
        " twice as fast. The large mark is the median over the graph's cells, the bar joins the"
        " medians of their interval ends, small dots are the cells.",
        ("claims", "comparisons"),
        claims.draw,
        claims.measured,
    ),
    Entry(
        "fig1_linear_vs_relu",
        "Figure 1: linear and ReLU networks",
        "If linear networks are a fair model of ReLU networks, the blue and the orange curve of"
        " each panel have the same shape and the same order of solid (multiscale) and dashed (no"
        " skips). A curve that ends early had fewer iterations.",
        ("training",),
        linear_vs_relu.draw,
        linear_vs_relu.measured,
    ),
    Entry(
        "fig2_assumptions_linear",
        "Figure 2: the conditions of Theorem 1, linear network",
        "(a) The graph condition holds where a dot stands above the grey strip; a cross on the"
        " strip is an exact zero (train: the training nodes; all: every labelled node). (b), (c)"
        " The time-dependent condition holds while λ_T stays above 0: full over all directions, as"
        " in the paper; restricted to the directions that occur in the data.",
        ("graph_condition", "time_condition"),
        partial(assumptions.draw, multiscale=False),
        partial(assumptions.measured, multiscale=False),
    ),
    Entry(
        "fig3_assumptions_multiscale",
        "Figure 3: the conditions of Theorem 2, multiscale network",
        "As Figure 2, for the network with skip connections: the features of all layers are"
        " stacked, and λ_T is the smallest over the layers.",
        ("graph_condition", "time_condition"),
        partial(assumptions.draw, multiscale=True),
        partial(assumptions.measured, multiscale=True),
    ),
    Entry(
        "fig4_training_speed",
        "Figure 4: skip connections, depth, labels",
        "Lower is further trained. (a) With or without skip connections. (b) Depth. (c) True or"
        " random labels. Thin grey: the paper's own curves, read from its figure to about 1.5 %,"
        " where the setting is theirs.",
        ("training",),
        training_speed.draw,
        training_speed.measured,
    ),
    Entry(
        "fig5_gradient_terms",
        "Figure 5: the two terms of the loss decrease",
        "The first term comes from the heads, the second from the layers; together they are the"
        " speed at which the loss falls. Where the ratio (lower panels) is below the dotted line,"
        " the second term is the larger one. Compare colours for the effect of the labels.",
        ("gradient_terms",),
        gradient_terms.draw,
        gradient_terms.measured,
    ),
    Entry(
        "graph_condition_depth",
        "How skip connections repair the graph condition",
        "σ²min against depth. Without skips it moves with every layer and may be exactly 0. With"
        " skips the features of all layers are kept, so that it cannot fall where there are at"
        " least as many features as labelled nodes; with fewer it may. Train: the training nodes;"
        " all: every labelled node.",
        ("graph_condition",),
        graph_condition_depth.draw,
        graph_condition_depth.measured,
    ),
    Entry(
        "mechanism",
        "What should accelerate training, and what did",
        "Above, three mechanisms that the theory names; below each, the effect that was measured:"
        " +1 is twice as fast in flow time. (a) The smallest positive singular value, which the"
        " guaranteed rate is proportional to. (b) How much of the decrease of the loss the heads"
        " account for, in the runs of Figure 5; above the dotted line the first term dominates."
        " (c) How much of the labels lies in as many leading directions of the features as there"
        " are classes. A mechanism that explains its effect rises and falls with it.",
        ("graph_condition", "gradient_terms", "alignment", "comparisons"),
        mechanism.draw,
        mechanism.measured,
    ),
    Entry(
        "what_predicts",
        "Does homophily, σ²r or label alignment predict the acceleration?",
        "Rows are the three accelerations in flow time, columns three properties of a graph: the"
        " share of edges that join nodes of one class; σ²r, the smallest positive singular value"
        " of the propagated features of all layers, squared; the share of the labels in as many"
        " leading directions of these features as there are classes; the last two are medians over"
        " the depths of the measured runs. A property that predicts orders the marks of one colour"
        " from low to high (rank correlation ρ near +1 or −1). p is"
        " how often a random order does as well, made larger for the number of correlations tried;"
        " ✓ marks those that pass.",
        ("comparisons", "graphs", "graph_condition", "alignment"),
        what_predicts.draw,
        what_predicts.measured,
    ),
    Entry(
        "step_size",
        "Why flow time and steps disagree about depth",
        "(a) The same pairs of depths by three measures: above 0 the deeper network is faster."
        " Hollow marks are bounds: a run ended before it got there. (b) From the flow, which has"
        " no step size, through equal learning rates: where a curve bends, speed is decided by the"
        " step size and not by the flow. Triangles stand at the best learning rate of each depth;"
        " where they are apart, each network at its own best is another comparison than both at"
        " one rate. (c) What decides which rates can be used: the product of learning rate and"
        " curvature λmax. Steps follow the flow while it is far below 2; near 2 they oscillate,"
        " and the depth that gets there at a smaller rate cannot use the larger one.",
        ("comparisons", "training"),
        step_size.draw,
        step_size.measured,
    ),
    Entry(
        "bound_tightness",
        "How tight the theorems are",
        "Three guaranteed rates, each at least the one before. Paper: from σmin and λ_T."
        " Restricted: from the directions that occur in the data alone. Sharp: from the features as"
        " the hidden layers leave them at that moment. For the loss also integrated: restricted,"
        " with λ as it was along the run and not at its least. (a) Rates along one flow: a bound is"
        " useful when its line is near the black one. (b) The same as loss. (c) How many times"
        " faster than guaranteed the loss falls, over all flows where the guarantee is not 0; 1"
        " would be a perfect bound.",
        ("bounds",),
        bound_tightness.draw,
        bound_tightness.measured,
    ),
    Entry(
        "negative_results",
        "Four statements that fail, each on the smallest problem that shows it",
        "(a) The proof of Theorem 1 prints (a − b)² ≥ a² − b², where a² is the loss and b² the"
        " lowest loss L*: its line would have to be above the black one. The corrected identity"
        " lies on it. (b) Theorem 1 with a larger constant than 4. (c) The bound of a single layer"
        " (here the layer before any aggregation, with its own optimum L*₀) for a network with"
        " skip connections, in the form that we remember, on two nodes whose features are joined"
        " by a small number ε. (d) The singular margin, in the form that we remember: dividing the"
        " head W by a small c and multiplying the layer B₁ by it leaves the loss as it is and takes"
        " σmin of the layer to 0.",
        ("negative_results",),
        negative_results.draw,
        negative_results.measured,
    ),
)
_APPENDIX = Entry(
    "appendix_{dataset}",
    "Appendix: {name}, all training curves",
    "The panels of Figure 4 for GCN and GIN, linear and ReLU networks, and depth also without skip"
    " connections.",
    ("training",),
    appendix.draw,
    appendix.measured,
)


def entry(stem: str) -> Entry:
    """The figure that is stored as `{stem}.png`.

    Raises:
        KeyError: if there is no such figure.
    """
    if stem.startswith("appendix_"):
        dataset = stem.removeprefix("appendix_")
        return replace(
            _APPENDIX,
            stem=stem,
            title=_APPENDIX.title.format(name=style.name(dataset)),
            draw=partial(appendix.draw, dataset=dataset),
            measured=partial(appendix.measured, dataset=dataset),
        )
    return {figure.stem: figure for figure in FIGURES}[stem]
