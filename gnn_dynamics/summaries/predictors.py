"""Which property of a graph correlates with its acceleration: one row per graph, and the tests.

Three candidates: edge homophily, the smallest positive singular value of the stacked propagated
features (Theorem 2), and how well the labels agree with their leading directions.
"""

from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import permutation_test, rankdata

from gnn_dynamics.claims.statistics import holm
from gnn_dynamics.summaries import effects, select
from gnn_dynamics.summaries.effects import GRAPH

ACCELERATIONS = {"09": "skip connections", "10": "depth", "11": "true labels"}
PREDICTORS = {
    "edge_homophily": "edge homophily",
    "sigma_min_positive_sq": "σ²r of the stacked features",
    "alignment": "label alignment",
}
PROBLEM = [*GRAPH, "features", "nodes", "depth"]
TEST = ["claim", "predictor", "aggregation"]
FREE = ("multiscale", "depth", "labels", "lr")
ENOUGH = 5  # graphs; below, no permutation of them is unusual
RESAMPLES = 9999  # more than 7!, so that up to 7 graphs every permutation is tried
SEED = 0


def graph_table(
    comparisons: pd.DataFrame | None,
    graphs: pd.DataFrame | None,
    graph_condition: pd.DataFrame | None,
    alignment: pd.DataFrame | None,
) -> pd.DataFrame:
    """One row for each claim and GRAPH: medians over its cells of the effect and the predictors.

    A graph's cells are those of one setting. Predictors are those of the same features, nodes and
    depth, of all layers together; NaN where they were not computed.
    """
    cells = effects.judged(comparisons, list(ACCELERATIONS), ["flow_time"])
    if cells.empty:
        return pd.DataFrame(columns=["claim", *GRAPH, "effect", *PREDICTORS])
    keys = ["claim", *GRAPH]
    cells = pd.concat([effects.fix(part, FREE)[0] for _, part in cells.groupby(keys)])
    cells = _joined(cells, graphs, ["dataset"], "edge_homophily")
    cells = _joined(cells, graph_condition, PROBLEM, "sigma_min_positive_sq")
    cells = _joined(cells, alignment, PROBLEM, "alignment")
    predictors = cells.groupby(keys)[list(PREDICTORS)].median()
    return effects.medians(cells, keys).merge(predictors.reset_index(), on=keys)


def _joined(
    cells: pd.DataFrame, table: pd.DataFrame | None, keys: list[str], value: str
) -> pd.DataFrame:
    """The cells with a column `value` of all layers and true labels; seeds do not matter to it."""
    if table is None or table.empty:
        return cells.assign(**{value: np.nan})
    stacked = {"multiscale": True, "labels": "true"}
    rows = select.keep(table, **{key: stacked[key] for key in stacked if key in table})
    return cells.merge(rows.groupby(keys)[value].median().reset_index(), on=keys, how="left")


def correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rho of effect and predictor over datasets, for each aggregation.

    Returns columns claim, predictor, aggregation, n, rho, p, p_holm. rho and p are NaN with fewer
    datasets than ENOUGH, or where nothing varies. Aggregations are tested separately, since a
    dataset is one observation. Holm's adjustment is over all correlations that could be computed.
    """
    aggregations = select.ordered(table["aggregation"], "aggregation")
    rows = [
        dict(zip(TEST, test, strict=True)) | _correlation(table, *test)
        for test in product(ACCELERATIONS, PREDICTORS, aggregations)
    ]
    tests = pd.DataFrame(rows).assign(p_holm=np.nan)
    known = tests["p"].notna()
    tests.loc[known, "p_holm"] = holm(tests["p"][known])
    return tests


def _correlation(
    table: pd.DataFrame, claim: str, predictor: str, aggregation: str
) -> dict[str, float]:
    """n, rho and a two-sided permutation p-value."""
    part = select.keep(table, claim=claim, aggregation=aggregation)
    part = part.dropna(subset=["effect", predictor])
    n, x, y = len(part), part[predictor], part["effect"]
    if n < ENOUGH or x.nunique() == 1 or y.nunique() == 1:
        return {"n": n, "rho": np.nan, "p": np.nan}
    # rho is the inner product of ranks that are centred and of length 1.
    x, y = (_unit(rankdata(values)) for values in (x, y))
    test = permutation_test(
        (x,),
        lambda order, axis: np.sum(order * y, axis=axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(SEED),
    )
    return {"n": n, "rho": test.statistic, "p": test.pvalue}


def _unit(ranks: np.ndarray) -> np.ndarray:
    centred = ranks - ranks.mean()
    return centred / np.linalg.norm(centred)


def smallest_p(n: int) -> float:
    """The smallest two-sided p-value that permutations of n graphs can give."""
    every = np.prod(np.arange(1.0, n + 1))
    return 2 / every if every <= RESAMPLES else 2 / (RESAMPLES + 1)
