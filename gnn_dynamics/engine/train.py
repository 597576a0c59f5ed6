"""The training loop: K models side by side, the loss of every step kept.

Models leave the batch when they diverge or reach their last threshold; the others go on, and their
numbers do not change by it. Losses are looked at in blocks of steps, never one by one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from gnn_dynamics.engine.model import Weights
from gnn_dynamics.engine.objective import Objective
from gnn_dynamics.engine.steppers import Stepper, take_state
from gnn_dynamics.engine.trace import Trace

CHECK_EVERY = 50  # steps between two looks at the losses
SECONDS_BETWEEN_REPORTS = 10.0


@dataclass(frozen=True)
class Snapshot:
    """The models still training at a recorded step; `models` are their places in the batch.

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


@dataclass(frozen=True)
class Trajectory:
    """What training leaves behind. Rows of a model are NaN after its last step.

    loss, time: (steps + 1, K), time being the sum of step sizes
    increases: (steps + 1, K) int64, steps so far at which the loss rose
    grad_norm_sq: (len(record_steps), K)
    last_step: (K,) int64;  status: one of "ok", "diverged" for each model
    weights: at the end, or (for a model that left) at most CHECK_EVERY steps after its last step
    """

    record_steps: tuple[int, ...]
    loss: Tensor
    time: Tensor
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
    observe: Callable[[Snapshot], None] | None = None,
    stop_below: Tensor | None = None,
    label: str = "",
) -> Trajectory:
    """Train K models for `steps` steps, or until each has diverged or reached `stop_below` (K,).

    lr: (K,), None for gradient flow, which finds its own step size
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
            if not len(run.models):
                break
            progress.update(step - progress.n if step % CHECK_EVERY == 0 else 0)
        progress.update(steps - progress.n)
    return run.result()


class _Run:
    """The moving parts of `train`: weights and state of the models still in the batch."""

    def __init__(self, objective, weights, stepper, lr, steps, record_steps, stop_below):
        like = weights.W[0]
        self.objective, self.weights, self.stepper = objective, weights, stepper
        self.models = torch.arange(weights.models, device=like.device)
        self.steps, self.record_steps, self.stop_below = steps, record_steps, stop_below
        rate = like.new_zeros(weights.models) if lr is None else torch.as_tensor(lr).to(like)
        self.state = stepper.start(weights, rate.expand(weights.models))
        self.trace = Trace(steps, weights.models, stop_below, like)
        self.grad_norm_sq = like.new_full((len(record_steps), weights.models), torch.nan)
        self.final = weights
        self.time = torch.zeros_like(rate.expand(weights.models))

    def advance(self, step: int, observe) -> None:
        """Note the losses at `step`, let models leave, observe, and move the others on."""
        self.loss, self.gradient = self.objective(self.weights)
        self.trace.append(self.loss, self.time)
        if step in self.record_steps or step == self.steps or step % CHECK_EVERY == 0:
            self.drop_finished()
        if not len(self.models):
            return
        args = (self.objective, self.weights)
        self.state = self.stepper.retune(self.state, *args, self.gradient, self.loss, step)
        if step in self.record_steps:
            self.record(step, observe)
        if step < self.steps:
            self.state, self.weights = self.stepper.step(self.state, *args, self.gradient)
            self.time = self.time + self.state[0]

    def drop_finished(self) -> None:
        """Compact the batch to the models that go on."""
        keep = self.trace.flush(self.models)
        if keep.all():
            return
        index = keep.nonzero().flatten()
        self.keep_weights()
        self.models, self.loss, self.time = (
            self.models[index],
            self.loss[index],
            self.time[index],
        )
        self.weights, self.gradient = self.weights.take(index), self.gradient.take(index)
        self.objective, self.state = self.objective.take(index), take_state(self.state, index)

    def keep_weights(self) -> None:
        """Write the weights of the models in the batch to their places in `final`."""
        self.final = self.final.zip(lambda f, w: f.index_copy(0, self.models, w), self.weights)

    def record(self, step: int, observe) -> None:
        row = self.record_steps.index(step)
        self.grad_norm_sq[row, self.models] = self.gradient.squared_norm()
        if observe is not None:
            observe(
                Snapshot(
                    step,
                    self.models,
                    self.objective,
                    self.weights,
                    self.gradient,
                    self.loss,
                    self.time,
                    self.state[0],
                )
            )

    def result(self) -> Trajectory:
        self.keep_weights()
        trace = self.trace
        return Trajectory(
            self.record_steps,
            trace.loss,
            trace.time,
            trace.increases(),
            self.grad_norm_sq,
            trace.last_step,
            trace.status(),
            self.final,
        )
