"""Where the results differ from the paper, in sentences made from the tables.

What the paper says is partly known from memory only (docs/theory.md says which part); a sentence
here says what was expected, not what is printed there.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gnn_dynamics.summaries import gradient_terms, names, paper_curves, select

Tables = Mapping[str, pd.DataFrame]
# Edges in the paper's table of datasets; the files name some edges twice.
PAPER_EDGES = {"cora": 5429, "citeseer": 4732}
CLOSE = 0.10  # the deviation up to which a curve counts as the paper's


def differences(tables: Tables, deviation: pd.DataFrame) -> list[str]:
    """One sentence for each difference that the tables show; empty if they show none.

    `deviation` from the digitised curves, from `paper_curves.deviation`.
    """
    return [
        *_curves(deviation),
        *_graph_condition(tables.get("graph_condition")),
        *_first_term(tables.get("gradient_terms")),
        *_vacuous(tables.get("bounds")),
        *_edges(tables.get("graphs")),
    ]


def curve_table(deviation: pd.DataFrame) -> pd.DataFrame:
    """One row per digitised curve: where we are farthest from it.

    Columns activation, panel, curve, worst (signed relative deviation), iteration, close.
    """
    if deviation.empty:
        return pd.DataFrame(
            columns=["activation", "panel", "curve", "worst", "iteration", "median", "close"]
        )
    keys = ["activation", "panel", "curve"]
    size = deviation["relative"].abs()
    worst = deviation.loc[size.groupby([deviation[k] for k in keys]).idxmax()]
    median = size.groupby([deviation[k] for k in keys]).median().rename("median").reset_index()
    table = worst.rename(columns={"relative": "worst"})[[*keys, "worst", "iteration"]]
    return table.merge(median, on=keys).assign(close=lambda rows: rows["worst"].abs() <= CLOSE)


def _curves(deviation: pd.DataFrame) -> list[str]:
    if deviation.empty:
        return [
            "No run has the setting of the paper's Figure 4 (Cora, GCN, Adam, mean cross-entropy,"
            " the paper's learning rates), so its curves cannot be compared."
        ]
    table = curve_table(deviation)
    sentences = []
    for activation, rows in table.groupby("activation"):
        near, far = rows[rows["close"]], rows[~rows["close"].astype(bool)]
        sentences.append(
            f"Figure 4, {names.name(activation)} network: {len(near)} of"
            f" {select.plural(len(rows), 'digitised curve')} are matched within"
            f" {100 * CLOSE:.0f} % at iterations {min(paper_curves.ITERATIONS):,} to"
            f" {max(paper_curves.ITERATIONS):,}{_farthest(far)}."
        )
    return sentences


def _farthest(far: pd.DataFrame) -> str:
    if far.empty:
        return ""
    row = far.loc[far["worst"].abs().idxmax()]
    where = f"({row['panel']}) {row['curve']}, {percent(row['worst'])} at iteration"
    return f"; farthest is {where} {row['iteration']:,}"


def percent(share: float, digits: int = 0) -> str:
    """A signed percentage with a true minus sign."""
    return f"{100 * share:+.{digits}f} %".replace("-", "−")


def _graph_condition(table: pd.DataFrame | None) -> list[str]:
    """The paper finds sigma_min > 0 on both graphs."""
    if table is None or table.empty:
        return []
    rows = table[~table["condition_holds"].astype(bool) & (table["depth"] > 0)]
    rows = rows[rows["dataset"].isin(PAPER_EDGES) & (rows["nodes"] == "train")]
    keys = ["dataset", "multiscale"]
    return [
        f"Graph condition: expected to hold on {names.name(dataset)}, but σmin is exactly 0 for the"
        f" {'multiscale network' if multiscale else 'network without skips'} in"
        f" {select.plural(len(part), 'cell')} (training nodes; H ="
        f" {', '.join(map(str, sorted(set(part['depth']))))}){_culprits(part)}."
        for (dataset, multiscale), part in rows.groupby(keys)
    ]


def _culprits(part: pd.DataFrame) -> str:
    named = {tuple(int(n) for n in nodes) for nodes in part["culprit_nodes"] if nodes is not None}
    if len(named) != 1:
        return ""
    return f", since the columns of nodes {', '.join(map(str, *named))} are dependent"


def _first_term(table: pd.DataFrame | None) -> list[str]:
    summary = gradient_terms.ratio_summary(table)
    small = summary[summary["median"] < 1]
    if small.empty:
        return []
    parts = [
        f"H = {depth} ({len(part)} of {(summary['depth'] == depth).sum()} curves, down to"
        f" {part['median'].min():.2g})"
        for depth, part in small.groupby("depth")
    ]
    return [
        "Figure 5: the first term is expected to dominate, but the ratio of first to second term"
        f" is below 1 in the median of training at {', '.join(parts)}."
    ]


def _vacuous(table: pd.DataFrame | None) -> list[str]:
    if table is None or table.empty or not table["vacuous"].any():
        return []
    share = np.mean(table["vacuous"].astype(bool))
    return [
        f"Theorems 1 and 2: the bound in its printed form is vacuous at {100 * share:.0f} % of"
        f" {len(table):,} records, where a width is below the number of features or the rank is"
        " deficient."
    ]


def _edges(table: pd.DataFrame | None) -> list[str]:
    if table is None:
        return []
    return [
        f"{names.name(row.dataset)}: the paper lists {PAPER_EDGES[row.dataset]:,} edges; without"
        f" duplicates and self-loops there are {row.edges:,}."
        for row in table.itertuples()
        if row.dataset in PAPER_EDGES and row.edges != PAPER_EDGES[row.dataset]
    ]
