"""From config entries to runs: an experiment is a product of lists, in blocks; jobs train blocks.

Imports neither torch nor Snakemake, so that the workflow can expand a grid while it is parsed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby, product
from typing import Any, TypeVar

from gnn_dynamics.artifacts.table import FLAG, integers, reals, texts
from gnn_dynamics.config.choices import CHOICES, from_path_part, is_own, path_part
from gnn_dynamics.errors import UserError

Cell = TypeVar("Cell", bound=Mapping[str, Any])
# The columns that identify a training run, and their types, in the order of the tables.
RUN = (
    texts("experiment", "dataset", "aggregation", "features", "nodes")
    | {"multiscale": FLAG}
    | texts("activation")
    | integers("depth", "width")
    | texts("init", "loss_fn", "optimizer")
    | reals("lr")
    | texts("labels")
    | integers("seed")
)
KEYS = tuple(RUN)
# Lists of an experiment whose product is its blocks.
BLOCK_LISTS = ("datasets", "aggregation", "activation", "multiscale", "depth")
# Values of `job_per`: how finely blocks are divided into jobs; by `depth`, each block has its own.
JOB_PER = ("dataset", "aggregation", "activation", "multiscale", "depth")
# What the singular values of the propagated features depend on, and what L* depends on.
SPECTRAL_KEYS = ("dataset", "aggregation", "features", "nodes", "multiscale", "depth")
SPECTRAL = {key: RUN[key] for key in SPECTRAL_KEYS}
OPTIMUM_KEYS = (*SPECTRAL_KEYS, "labels", "seed")
OPTIMUM = {key: RUN[key] for key in OPTIMUM_KEYS}
# Lists inside a block; runs that agree on BATCH_KEYS have tensors of one shape: a batch.
BATCH_KEYS = ("features", "nodes", "width", "loss_fn", "optimizer")
MEMBER_KEYS = ("init", "lr", "labels", "seed")
# Names of `observe` that record no bound, identity or term; that are defined for linear models;
# whose meaning depends on the Hessian of the loss.
WITHOUT_THEOREM = {"sharpness", "accuracy"}
LINEAR = {"time_condition", "rates"}
KNOWN_LOSS = {"rates"}


@dataclass(frozen=True, order=True)
class Block:
    """Runs of one model on one graph: all seeds, labels, widths, initialisations and rates."""

    experiment: str
    dataset: str
    aggregation: str
    activation: str
    multiscale: bool
    depth: int

    @classmethod
    def of(cls, name: str) -> "Block":
        """The block whose `id` is `name`."""
        experiment, dataset, model = name.split("/")
        *functions, skip, depth = model.split("-")
        aggregation, activation = map(from_path_part, functions)
        return cls(experiment, dataset, aggregation, activation, skip == "skip", int(depth[1:]))

    @property
    def model(self) -> str:
        """The end of `id`: `gcn-linear-skip-H2`."""
        functions = map(path_part, (self.aggregation, self.activation))
        return "-".join([*functions, "skip" if self.multiscale else "noskip", f"H{self.depth}"])

    @property
    def id(self) -> str:
        """Name like a path: `curves/cora/gcn-linear-skip-H2`."""
        return f"{self.experiment}/{self.dataset}/{self.model}"

    def job(self, per: str) -> str:
        """Name of the block's job where `job_per` is `per`: `curves/cora/gcn` for aggregation."""
        shared = "-".join(self.model.split("-")[: JOB_PER.index(per)])
        return f"{self.experiment}/{self.dataset}/{shared or 'all'}"


def entry(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The experiment called `name`.

    Raises:
        UserError: if the config has no experiment of that name, or more than one.
    """
    entries = [e for e in config["experiments"] if e["name"] == name]
    if len(entries) != 1:
        names = ", ".join(sorted(e["name"] for e in config["experiments"]))
        raise UserError(
            f"experiments: {len(entries)} entries are named '{name}'; there are: {names}."
        )
    return entries[0]


def is_named(experiment: str, *names: str) -> bool:
    """Whether an experiment has one of the names, alone or with a suffix: `curves-citeseer`."""
    return any(experiment == name or experiment.startswith(f"{name}-") for name in names)


def blocks(config: Mapping[str, Any]) -> list[Block]:
    """Every block of every experiment, in a fixed order.

    Raises:
        UserError: if two experiments share a name, since their results would share a file.
    """
    for experiment in config["experiments"]:
        entry(config, experiment["name"])
    return sorted(
        Block(experiment["name"], *values)
        for experiment in config["experiments"]
        for values in product(*(experiment[key] for key in BLOCK_LISTS))
    )


def jobs(config: Mapping[str, Any]) -> dict[str, list[Block]]:
    """The blocks of every training job, by its name, in the order of `blocks`."""
    per = {each["name"]: each.get("job_per", "depth") for each in config["experiments"]}
    found = groupby(blocks(config), lambda block: block.job(per[block.experiment]))
    return {name: list(group) for name, group in found}


def runs(experiment: Mapping[str, Any], block: Block) -> list[dict[str, Any]]:
    """All runs of a block as dictionaries with the columns KEYS; `lr` is None for gradient flow.

    With `lr: auto` the rates are chosen while training, and each model appears once with None.
    """
    lists = {key: experiment[key] for key in (*BATCH_KEYS, *MEMBER_KEYS) if key != "lr"}
    rates = experiment.get("lr", "auto")
    rows = []
    for values in product(*lists.values()):
        run = asdict(block) | dict(zip(lists, values, strict=True))
        fixed = run["optimizer"] != "flow" and rates != "auto"
        for lr in rates if fixed else [None]:
            rows.append({key: {**run, "lr": lr}[key] for key in KEYS})
    return rows


def squared_cells(config: Mapping[str, Any], dataset: str) -> list[dict[str, Any]]:
    """Distinct OPTIMUM_KEYS of one dataset, without `dataset`, with a squared loss.

    These are the cells whose optimum L* (equation 6) the workflow computes.
    """
    keys = OPTIMUM_KEYS[1:]
    cells: dict[tuple, None] = {}
    for experiment in config["experiments"]:
        if dataset not in experiment["datasets"] or "squared" not in experiment["loss_fn"]:
            continue
        for values in product(*(experiment[key] for key in keys)):
            cells[values] = None
    return [dict(zip(keys, values, strict=True)) for values in sorted(cells)]


def precision_problems(experiment: Mapping[str, Any]) -> list[str]:
    """What forbids float32, which has too few digits for what a theorem says; [] if nothing."""
    if experiment.get("precision", "float64") == "float64":
        return []
    flows = [f"optimizer: {name}" for name in experiment["optimizer"] if name == "flow"]
    observed = sorted(set(experiment.get("observe", ())) - WITHOUT_THEOREM)
    reasons = flows + [f"observe: {name}" for name in observed]
    return [
        "float32 is for curves of gradient descent and Adam of which no theorem speaks; use"
        f" float64 with {reason}, or give it an experiment of its own"
        for reason in reasons
    ]


def theorem_problems(experiment: Mapping[str, Any]) -> list[str]:
    """What `observe` asks of functions that no theorem speaks of; [] if nothing."""
    observed = experiment.get("observe", ())
    nonlinear = [f"activation: {name}" for name in experiment["activation"] if name != "linear"]
    own = [f"loss_fn: {name}" for name in experiment["loss_fn"] if is_own(name)]
    cases = (LINEAR, "linear models", nonlinear), (KNOWN_LOSS, "a built-in loss", own)
    return [
        f"{name} assumes {assumed}, not {other}; give that an experiment without it"
        for names, assumed, others in cases
        for name in observed
        if name in names
        for other in others
    ]


def own_functions(experiment: Mapping[str, Any]) -> dict[str, list[str]]:
    """The values `file.py:function` of the keys that choose functions."""
    own = {key: list(filter(is_own, experiment.get(key, ()))) for key in CHOICES}
    return {key: names for key, names in own.items() if names}


def grouped(cells: Iterable[Cell], keys: Iterable[str]) -> list[tuple[tuple, list[Cell]]]:
    """Cells that agree on `keys`, with their values, in the order in which these first occur."""
    keys = tuple(keys)
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(cell[key] for key in keys), []).append(cell)
    return list(groups.items())
