"""Sentences about where the results differ from the paper, made from the tables.

The wording of the paper is partly known from memory only (docs/theory.md lists which parts), so the
sentences report what was expected, not what is printed.
"""

from itertools import chain

import pandas as pd

from gnn_dynamics.claims.names import name
from gnn_dynamics.report.sections import Tables
from gnn_dynamics.summaries import select
from gnn_dynamics.summaries.gradient_terms import ratio_summary
from gnn_dynamics.summaries.paper_curves import ITERATIONS

# Edges in the paper's table of datasets; its files contain some edges twice.
PAPER_EDGES = {"cora": 5429, "citeseer": 4732}
CLOSE = 0.10  # a curve is matched if it deviates by at most this share
CURVE = ["activation", "panel", "curve"]


def differences(tables: Tables, deviation: pd.DataFrame) -> list[str]:
    """One sentence for each difference that the tables show; empty if they show none.

    deviation: distance from the digitised curves, see `paper_curves.deviation`
    """
    by_table = {
        "graph_condition": _graph_condition,
        "gradient_terms": _first_term,
        "bounds": _vacuous,
        "graphs": _edges,
    }
    sentences = [differ(tables[name]) for name, differ in by_table.items() if name in tables]
    return [*_curves(deviation), *chain.from_iterable(sentences)]


def curve_table(deviation: pd.DataFrame) -> pd.DataFrame:
    """One row per digitised curve, with the iteration where we are farthest from it.

    Columns activation, panel, curve, worst (signed relative deviation), iteration, median, close.
    """
    size = deviation.assign(size=deviation["relative"].abs()).groupby(CURVE)["size"]
    farthest = deviation.loc[size.idxmax()].rename(columns={"relative": "worst"})
    table = farthest[[*CURVE, "worst", "iteration"]].merge(size.median().reset_index(), on=CURVE)
    return table.rename(columns={"size": "median"}).assign(
        close=lambda rows: rows["worst"].abs() <= CLOSE
    )


def _curves(deviation: pd.DataFrame) -> list[str]:
    if deviation.empty:
        return [
            "No run has the setting of the paper's Figure 4 (Cora, GCN, Adam, mean cross-entropy,"
            " the paper's learning rates), so the curves cannot be compared."
        ]
    return [
        f"Figure 4, {name(activation)} network: {rows['close'].sum()} of"
        f" {select.plural(len(rows), 'digitised curve')} are matched within {100 * CLOSE:.0f} %"
        f" at iterations {min(ITERATIONS):,} to {max(ITERATIONS):,}{_farthest(rows)}."
        for activation, rows in curve_table(deviation).groupby("activation")
    ]


def _farthest(rows: pd.DataFrame) -> str:
    if rows["close"].all():
        return ""
    row = rows.loc[rows["worst"].abs().idxmax()]
    return (
        f"; the largest deviation is {percent(row['worst'])} at iteration {row['iteration']:,} of"
        f" ({row['panel']}) {row['curve']}"
    )


def percent(share: float, digits: int = 0) -> str:
    """A signed percentage with a true minus sign."""
    return f"{100 * share:+.{digits}f} %".replace("-", "−")


def _graph_condition(table: pd.DataFrame) -> list[str]:
    """The paper finds sigma_min > 0 on both of its graphs."""
    rows = table[~table["condition_holds"].astype(bool) & (table["depth"] > 0)]
    rows = rows[rows["dataset"].isin(PAPER_EDGES) & (rows["nodes"] == "train")]
    return [
        f"Graph condition: expected to hold on {name(dataset)}, but σmin is exactly 0"
        f" {'with' if skip else 'without'} skip connections in {select.plural(len(part), 'cell')}"
        f" (training nodes; H = {', '.join(map(str, sorted(set(part['depth']))))})"
        f"{_culprits(part)}."
        for (dataset, skip), part in rows.groupby(["dataset", "multiscale"])
    ]


def _culprits(part: pd.DataFrame) -> str:
    nodes = {tuple(map(int, ids)) for ids in part["culprit_nodes"] if ids is not None}
    if len(nodes) != 1:
        return ""
    return f", because the columns of nodes {', '.join(map(str, *nodes))} are linearly dependent"


def _first_term(table: pd.DataFrame) -> list[str]:
    summary = ratio_summary(table)
    small = summary[summary["median"] < 1]
    if small.empty:
        return []
    depths = [
        f"H = {depth} ({len(part)} of {(summary['depth'] == depth).sum()} curves, down to"
        f" {part['median'].min():.2g})"
        for depth, part in small.groupby("depth")
    ]
    return [
        "Figure 5: the first term is expected to dominate, but the median ratio of first to second"
        f" term during training is below 1 at {', '.join(depths)}."
    ]


def _vacuous(table: pd.DataFrame) -> list[str]:
    if not table["vacuous"].any():
        return []
    share = table["vacuous"].astype(bool).mean()
    return [
        f"Theorems 1 and 2: the printed bound is vacuous at {100 * share:.0f} % of"
        f" {len(table):,} records, where a layer is narrower than the number of features or the"
        " rank is deficient."
    ]


def _edges(table: pd.DataFrame) -> list[str]:
    return [
        f"{name(row.dataset)}: the paper lists {PAPER_EDGES[row.dataset]:,} edges; without"
        f" duplicates and self-loops there are {row.edges:,}."
        for row in table.itertuples()
        if row.dataset in PAPER_EDGES and row.edges != PAPER_EDGES[row.dataset]
    ]
