"""The training loop: K models side by side, the loss of every step kept.

Models end when they diverge or reach their last threshold; the others go on, and their numbers do
not change by it. On a CPU the batch shrinks to them; on a GPU, whose libraries choose their order
of summation by the size of a batch, the tensors stay as they are and the ended models run idle.
Losses are read in blocks of steps, never one by one; in between a GPU never waits for the host.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from gnn_dynamics.dynamics.cuda_graph import CudaGraphStep
from gnn_dynamics.dynamics.loss_trace import LossTrace
from gnn_dynamics.dynamics.steppers import Stepper
from gnn_dynamics.models.model import Weights
from gnn_dynamics.models.objective import Objective

SECONDS_BETWEEN_REPORTS = 10.0


@dataclass(frozen=True)
class Snapshot:
    """The models still training at a recorded step; `models` are their indices in the batch.

    weights, gradient: those of this step;  loss, time: (k,);  rate: (k,), step size being used.
    """

    step: int
    models: Tensor
    objective: Objective
    weights: Weights
    gradient: Weights
    loss: Tensor
    time: Tensor
    rate: Tensor

    def take(self, index: Tensor) -> "Snapshot":
        """A copy with the rows `index` only."""
        tensors = (self.loss, self.time, self.rate)
        loss, time, rate = (tensor[index] for tensor in tensors)
        weights, gradient = self.weights.take(index), self.gradient.take(index)
        objective, models = self.objective.take(index), self.models[index]
        return Snapshot(self.step, models, objective, weights, gradient, loss, time, rate)


Observer = Callable[[Snapshot], None]


@dataclass(frozen=True)
class Trajectory:
    """The result of training. The column of a model is NaN after its last step.

    loss, time: (steps + 1, K) float64, time being the sum of step sizes
    error: (steps + 1, K), estimated error in the loss that each step made; NaN where unknown
    increases: (steps + 1, K) int64, steps so far at which the loss rose
    grad_norm_sq: (len(record_steps), K)
    last_step: (K,) int64;  status: one of "ok", "diverged" for each model
    weights: at the end, or (for a model that left) at most `check_every` steps after its last step
    """

    record_steps: tuple[int, ...]
    loss: Tensor
    time: Tensor
    error: Tensor
    increases: Tensor
    grad_norm_sq: Tensor
    last_step: Tensor
    status: tuple[str, ...]
    weights: Weights


def train(
    objective: Objective,
    weights: Weights,
    stepper: Stepper,
    lr: Sequence[float] | Tensor | None,
    steps: int,
    record_steps: Iterable[int] = (),
    observe: Observer | None = None,
    stop_below: Tensor | None = None,
    label: str = "",
) -> Trajectory:
    """Train K models for `steps` steps, or until each has diverged or reached `stop_below` (K,).

    lr: (K,), None for gradient flow, which chooses its step size
    record_steps: steps at which the gradient norm is kept and `observe` is called
    label: name of the job for the progress line on stderr, which shows steps done and time left
    """
    run = _Run(objective, weights, stepper, lr, steps, tuple(sorted(set(record_steps))), stop_below)
    with tqdm(
        total=steps,
        desc=label,
        unit="step",
        mininterval=SECONDS_BETWEEN_REPORTS,
        delay=SECONDS_BETWEEN_REPORTS,
    ) as progress:
        for step in range(steps + 1):
            run.advance(step, observe)
            if not len(run.live):
                break
            progress.update(step - progress.n if step % stepper.check_every == 0 else 0)
        progress.update(steps - progress.n)
    return run.result()


class _Run:
    """The state of `train`.

    models: the model of the batch in each row of the tensors;  live: the rows that still train
    """

    def __init__(
        self,
        objective: Objective,
        weights: Weights,
        stepper: Stepper,
        lr: Sequence[float] | Tensor | None,
        steps: int,
        record_steps: tuple[int, ...],
        stop_below: Tensor | None,
    ):
        like = weights.W[0].double()  # losses, times and step sizes, whatever the weights
        self.objective, self.weights, self.stepper = objective, weights, stepper
        self.models = self.live = torch.arange(weights.models)
        self.steps, self.record_steps = steps, record_steps
        rate = like.new_zeros(weights.models) if lr is None else torch.as_tensor(lr).to(like)
        self.state = stepper.start(weights, rate.expand(weights.models))
        self.trace = LossTrace(steps, weights.models, stop_below, like)
        self.grad_norm_sq = torch.full(
            (len(record_steps), weights.models), torch.nan, dtype=like.dtype
        )
        self.final = weights
        self.time = torch.zeros_like(rate.expand(weights.models))
        self.on_gpu = like.device.type == "cuda"
        self.graph: CudaGraphStep | None = None

    def advance(self, step: int, observe: Observer | None) -> None:
        """Note the losses at `step`, let models end, observe, and move the others on."""
        reads = (
            step in self.record_steps or step == self.steps or step % self.stepper.check_every == 0
        )
        if self.graph and not reads:
            loss, error = self.graph()  # a whole step whose loss is not read
            self.trace.append(loss, self.time, error)
            self.time = self.time + self.state.size
            return
        self.loss, self.gradient = self.state.ahead or self.objective(self.weights)
        self.trace.append(self.loss, self.time, self.state.error)
        if reads:
            self.drop_finished(step)
        if len(self.live):
            self.retune(step)
            if step in self.record_steps:
                self.record(step, observe)
            if step < self.steps:
                self.move(step)

    def retune(self, step: int) -> None:
        if self.stepper.retune:
            args = (self.objective, self.weights, self.gradient, self.loss, step)
            self.state = self.stepper.retune(self.state, *args)

    def move(self, step: int) -> None:
        """Take a step; on a GPU by a graph, whose tensors are from then on those of the run.

        A flow takes its first steps without: until it has all fields of its state, and a plan.
        """
        ready = self.stepper.retune is None or step > 0
        planned = self.stepper.plan is None or self.state.plan is not None
        if self.on_gpu and ready and planned:
            if self.graph is None:
                self.graph = CudaGraphStep(self.objective, self.stepper, self.state, self.weights)
            self.graph.load(self.state)
            self.graph()
            self.state, self.weights = self.graph.state, self.graph.weights
        else:
            args = (self.objective, self.weights, self.gradient)
            self.state, self.weights = self.stepper.step(self.state, *args)
        self.time = self.time + self.state.size

    def drop_finished(self, step: int) -> None:
        """Go on with the models that have not ended: on a CPU cut all tensors down to them.

        On a GPU they stay, and the stepper plans the steps until the next reading.
        """
        plans = self.on_gpu and self.stepper.plan and step > 0
        demand = self.stepper.demand(self.state) if plans and self.stepper.demand else None
        keep, most = self.trace.flush(self.models, self.live, demand)
        if plans and self.stepper.plan:
            self.state = self.stepper.plan(self.state, most)
        if keep.all():
            return
        self.keep_weights()
        self.live = index = self.live[keep]
        if self.on_gpu:
            return
        self.models, self.loss, self.time = (
            tensor[index] for tensor in (self.models, self.loss, self.time)
        )
        self.weights, self.gradient = self.weights.take(index), self.gradient.take(index)
        self.objective, self.state = self.objective.take(index), self.state.map(lambda t: t[index])
        self.live = torch.arange(len(index))

    def keep_weights(self) -> None:
        """Write the weights of the live models to `final`."""
        device = self.final.W[0].device
        models, weights = self.models[self.live].to(device), self.weights.take(self.live.to(device))
        self.final = self.final.zip(lambda f, w: f.index_copy(0, models, w), weights)

    def record(self, step: int, observe: Observer | None) -> None:
        batch = (self.models, self.objective, self.weights, self.gradient)
        snapshot = Snapshot(step, *batch, self.loss, self.time, self.state.size)
        if self.on_gpu:  # a copy without the ended models: the graph's tensors move on in place
            snapshot = snapshot.take(self.live)
        row = self.record_steps.index(step)
        norm_sq = snapshot.gradient.squared_norm().double()
        self.grad_norm_sq[row, snapshot.models.cpu()] = norm_sq.cpu()
        if observe is not None:
            observe(snapshot)

    def result(self) -> Trajectory:
        self.keep_weights()
        trace = self.trace
        trace.error[:1] = 0 * trace.error[1:2]  # no step leads to the start
        return Trajectory(
            self.record_steps,
            trace.loss,
            trace.time,
            trace.error,
            trace.increases(self.final.W[0].dtype),
            self.grad_norm_sq,
            trace.last_step,
            tuple("diverged" if bad else "ok" for bad in trace.diverged.tolist()),
            self.final,
        )
