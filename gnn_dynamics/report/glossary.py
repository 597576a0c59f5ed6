"""Terms and their meaning in a few words, put in behind a term where it first stands."""

import re
from dataclasses import dataclass, field

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Term:
    """`spellings` are regular expressions for how the term stands in running text."""

    name: str
    short: str
    long: str
    spellings: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def pattern(self) -> str:
        return "|".join(self.spellings or (re.escape(self.name),))


TERMS = (
    Term(
        "graph neural network",
        "a network that mixes each node's features with its neighbours'",
        "Each layer replaces a node's features by a weighted mixture of its own and its neighbours'"
        " (aggregation), then multiplies by a matrix of weights that is learnt.",
        ("graph neural networks?", "GNNs?"),
    ),
    Term(
        "linear network",
        "no nonlinearity between layers",
        "A network whose layers are matrix products only. Its output is linear in the features, but"
        " its training is not linear in the weights.",
        ("linear networks?", "linear GNNs?", "linear graph neural networks?"),
    ),
    Term(
        "ReLU",
        "a nonlinearity: negative values become 0",
        "Rectified linear unit, applied after every hidden layer.",
    ),
    Term(
        "skip connections",
        "every layer, not only the last, feeds the output",
        "The multiscale network of the paper (Definition 2, the sum form of Jumping Knowledge): the"
        " output is a sum over layers, each with its own head. Without them: Definition 1.",
        ("skip connections?", "without skips", "no skips", "with skips"),
    ),
    Term(
        "multiscale",
        "with skip connections",
        "The network with skip connections; it sees the features after 0, 1, …, H aggregations.",
    ),
    Term("depth", "number of hidden layers, H", "Written H. A node then sees H steps far."),
    Term(
        "gradient flow",
        "training with infinitely small steps",
        "Weights move along −∇L in continuous time. Here integrated by a Runge–Kutta method; time"
        " is the sum of the step sizes. Its speed does not depend on a learning rate.",
    ),
    Term(
        "excess loss",
        "loss minus the lowest possible loss L*",
        "L − L*, the part of the loss that training can still remove.",
        ("excess loss", "excess"),
    ),
    Term(
        "L*",
        "the lowest loss that the network can reach",
        "The global minimum of the training loss (equation 6), computed by projection, without"
        " training. L*_H is that of a network with H layers.",
        (r"L\*(?:_H'?)?",),
    ),
    Term(
        "GCN",
        "aggregation by a mean that is weighted by node degrees",
        "S = D^(−1/2) (A + I) D^(−1/2), with the adjacency A and the degrees D of A + I.",
    ),
    Term(
        "GIN",
        "aggregation by a plain sum",
        "S = A + I: each node adds its neighbours' features to its own.",
    ),
    Term(
        "propagated features",
        "node features after H aggregations",
        "G_H = X S^H at the labelled nodes. With skip connections the stack of G_0, …, G_H.",
        ("propagated features", "aggregated features", "stacked features"),
    ),
    Term(
        "σmin",
        "smallest singular value of the propagated features; 0 if some are dependent",
        "The min(rows, columns)-th singular value. It is exactly 0 where the rank is deficient."
        " σ²min is its square.",
        ("sigma_min(?:\\^2)?", "σ²min", "σ²_min", "σmin"),
    ),
    Term(
        "graph condition",
        "σmin > 0: the propagated features have full rank",
        "The paper's first condition. It depends on graph, features, depth and labelled nodes, not"
        " on training.",
        ("[Gg]raph conditions?",),
    ),
    Term(
        "λ_T",
        "least squared stretch of any feature direction by the hidden layers, up to time T",
        "The smallest eigenvalue of B̄ᵀB̄ over all times up to T, where B̄ (Bbar) is the product"
        " of the hidden layers. Full: over all directions, exactly 0 if a layer is narrower than"
        " the number of features. Restricted: over the directions that occur in the data.",
        ("lambda_T", "λ_T", "lambda"),
    ),
    Term(
        "time-dependent condition",
        "λ_T > 0",
        "The paper's second condition: the hidden layers keep every direction alive.",
        ("[Tt]ime-dependent conditions?",),
    ),
    Term(
        "head",
        "output weights W_l that belong to a layer",
        "A network without skip connections has one head, on its last layer.",
        ("heads?",),
    ),
    Term(
        "first term",
        "the heads' share of the loss decrease",
        "Theorem 3 splits the speed at which the loss falls into a sum over heads (first term) and"
        " a sum over hidden layers (second term).",
        ("[Ff]irst term",),
    ),
    Term(
        "cell",
        "one setting with all its seeds",
        "Everything that describes a run except its seed. A claim is judged cell by cell.",
        ("cells?",),
    ),
    Term(
        "decided",
        "clear enough to support or refute",
        "A cell of a claim about speed is undecided where most pairs of runs did not both reach the"
        " threshold, or where the seeds disagree on which was faster; another one where its number"
        " is within rounding of the limit, or its runs were too short.",
        ("decided",),
    ),
    Term(
        "seed",
        "number that fixes a run's random start",
        "Runs that are compared share the seed, hence the same starting weights.",
        ("seeds?",),
    ),
    Term(
        "flow time",
        "time of the gradient flow to reach a threshold",
        "One of three measures of speed. It does not depend on any step size.",
        ("[Ff]low time",),
    ),
    Term(
        "best learning rate",
        "the rate at which the network needs fewest steps, found for each network",
        "Second measure of speed: steps of gradient descent, each network at its own best rate.",
        ("best learning rate",),
    ),
    Term(
        "equal learning rate",
        "both networks use the same step size",
        "Third measure of speed; what the paper's Figure 4 shows.",
        ("equal learning rate",),
    ),
    Term(
        "threshold",
        "share of the starting loss, or of the labels' size, to be reached",
        "Speed is read where the excess loss reaches a share of its start, or of ‖Y‖².",
        ("thresholds?",),
    ),
    Term(
        "effect",
        "log2 of how many times faster; +1 means twice as fast, −1 half as fast",
        "Median over pairs that share a seed, with an interval by bootstrap.",
        ("effects?",),
    ),
    Term(
        "λmax",
        "the sharpest curvature of the loss",
        "The largest eigenvalue of the Hessian. Gradient descent follows the flow while learning"
        " rate × λmax is far below 2, and cannot settle above 2, the edge of stability.",
    ),
    Term(
        "homophily",
        "share of edges that join nodes of one class",
        "1 where neighbours always agree, near 0 where they hardly ever do.",
        ("[Hh]omophily",),
    ),
    Term(
        "label alignment",
        "share of the labels in the leading directions of the features",
        "‖Y P_k‖² / ‖Y‖², where P_k projects on as many leading directions of the propagated"
        " features as there are classes. 1: the labels lie in what is learnt first.",
        ("[Ll]abel alignment",),
    ),
    Term(
        "vacuous",
        "true, but the guaranteed value is 0, so it says nothing",
        "A bound with rate 0 only says that the loss does not grow.",
    ),
    Term(
        "rank",
        "number of independent columns",
        "The number of singular values that are not 0 to working precision.",
    ),
    Term(
        "‖Y‖²",
        "size of the labels: the sum of squares of their matrix Y",
        "Y has a row for each class and a column for each labelled node, 1 where the node has the"
        " class and 0 elsewhere, so that this is the number of labelled nodes. For regression the"
        " targets themselves.",
        (r"‖Y‖²", r"\|\|Y\|\|\^2"),
    ),
    Term(
        "record",
        "a step at which a run was looked at",
        "Runs are looked at as often as `record` in the configuration says, evenly or by the"
        " logarithm of the step.",
        ("records?",),
    ),
    Term(
        "standardised features",
        "each feature with mean 0 and variance 1",
        "`standard` in the names of cells; `raw`: as in the data; `row`: row-normalised.",
        ("standardised features",),
    ),
    Term(
        "row-normalised features",
        "each node's features divided by their sum",
        "Rows of zeros stay zero.",
    ),
    Term(
        "permuted labels",
        "the true labels, dealt out to the nodes at random",
        "The classes keep their sizes. Uniformly random labels are drawn anew for each node.",
    ),
    Term(
        "cross-entropy",
        "minus the log of the probability given to the right class",
        "Averaged over the labelled nodes.",
    ),
)


@dataclass
class Explainer:
    """Explains each term once: at its first place in the order of the calls."""

    seen: set[str] = field(default_factory=set)

    def __call__(self, text: object) -> Markup:
        """The text, escaped, with a short meaning behind each term that was not met before."""
        unseen = [term for term in TERMS if term.name not in self.seen]
        if not unseen:
            return Markup(escape(text))
        groups = "|".join(f"(?P<t{i}>{term.pattern})" for i, term in enumerate(unseen))
        # Not inside a word, nor inside an entity such as &lt; that escaping has made.
        pattern = re.compile(rf"(?<![\w&])(?:{groups})(?![\w;])")
        return Markup(pattern.sub(lambda m: self._explain(m, unseen), str(escape(text))))

    def _explain(self, match: re.Match, unseen: list[Term]) -> str:
        term = unseen[int(match.lastgroup[1:])]
        if term.name in self.seen:
            return match[0]
        self.seen.add(term.name)
        link = f'<a class="term" href="#{term.anchor}">{match[0]}</a>'
        return f'{link} <span class="gloss">({escape(term.short)})</span>'
