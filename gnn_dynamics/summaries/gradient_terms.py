"""The two terms of the loss decrease, summed over heads and over layers, and their ratio.

-dL/dt = first term (all heads W_l) + second term (all layers B_i), both non-negative (Theorem 3).
"""

import pandas as pd

from gnn_dynamics.config.grid import KEYS
from gnn_dynamics.summaries import select

FREE = ("nodes", "depth", "labels")


def term_sums(gradient_terms: pd.DataFrame | None) -> tuple[pd.DataFrame, dict]:
    """Columns keys, step, head, layer (sums over l and i) and ratio; and the keys that are fixed.

    Rows are those of experiment `terms`, or else of `labels`.
    """
    rows = select.experiment(gradient_terms, "terms", "labels")
    rows, fixed = select.fix(rows, FREE)
    if rows.empty:
        return rows, fixed
    sums = rows.groupby([*KEYS, "step", "term"], dropna=False)["value"].sum().unstack("term")
    sums = sums.reindex(columns=["head", "layer"], fill_value=0.0).reset_index()
    return sums.assign(ratio=sums["head"] / sums["layer"]), fixed


def ratio_summary(gradient_terms: pd.DataFrame | None) -> pd.DataFrame:
    """Ratio of first to second term after the start: nodes, depth, labels, low, median, high.

    The first record is left out: it shows the initialisation, not training.
    """
    sums, _ = term_sums(gradient_terms)
    if sums.empty:
        return pd.DataFrame(columns=[*FREE, "low", "median", "high"])
    sums = sums[sums["step"] > sums["step"].min()]
    spread = sums.groupby(list(FREE))["ratio"].agg(low="min", median="median", high="max")
    return spread.reset_index()


def head_shares(gradient_terms: pd.DataFrame | None) -> pd.DataFrame:
    """Head terms / all terms, by graph and depth: columns dataset, depth, share.

    Medians over steps and seeds, for networks with skip connections and true labels.
    """
    if gradient_terms is None or gradient_terms.empty:
        return pd.DataFrame(columns=["dataset", "depth", "share"])
    nodes = select.ordered(gradient_terms["nodes"], "nodes")[-1]
    rows = select.keep(gradient_terms, nodes=nodes, labels="true")
    parts = [term_sums(part)[0] for _, part in rows.groupby("dataset", sort=False)]
    sums = pd.concat([rows.iloc[:0][["dataset", "depth"]], *parts])
    if sums.empty:
        return sums.assign(share=[])
    sums = sums.assign(share=sums["head"] / (sums["head"] + sums["layer"]))
    return sums.groupby(["dataset", "depth"])["share"].median().reset_index()
