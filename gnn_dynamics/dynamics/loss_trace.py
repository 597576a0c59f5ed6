"""The losses of a batch, step by step, and the step and reason at which each model ends."""

import torch
from torch import Tensor

DIVERGED = 1e6  # times the initial loss (or times 1, where that is smaller)
# Times the initial loss: a smaller rise of the loss is rounding.
RISE = {torch.float64: 1e-12, torch.float32: 1e-6}


class LossTrace:
    """Losses, times and errors (steps + 1, K) of all models; NaN where a model was not training.

    They are kept on the host, which reads those of several steps at once.

    A model ends at the first step whose loss is not finite, exceeds DIVERGED times its first loss,
    or is at most `stop_below` (K,). The end does not depend on when the losses are read.
    """

    def __init__(self, steps: int, models: int, stop_below: Tensor | None, like: Tensor):
        like = like.new_empty(0, device="cpu")
        self.loss = like.new_full((steps + 1, models), torch.nan)
        self.time, self.error = self.loss.clone(), self.loss.clone()
        self.last_step = torch.full((models,), steps)
        self.diverged = torch.zeros(models, dtype=torch.bool)
        self.stop_below = like.new_full((models,), -torch.inf)
        if stop_below is not None:
            self.stop_below = torch.as_tensor(stop_below).to(like)
        self.seen = 0
        self.pending: list[tuple[Tensor, ...]] = []

    def append(self, loss: Tensor, time: Tensor, error: Tensor | None = None) -> None:
        """Note one step of the models in the batch, without reading any loss."""
        error = torch.full_like(loss, torch.nan) if error is None else error
        self.pending.append((loss, time, error))

    def flush(
        self, models: Tensor, live: Tensor, demand: Tensor | None = None
    ) -> tuple[Tensor, float]:
        """Read the losses noted since the last flush, the one time that the host waits for a GPU.

        models: the models of the noted columns;  live (k,): columns that still train
        demand: of each column on the plan of its stepper (steppers.py)

        Returns which of the models go on, (k,) bool, and the largest demand of one of those.
        """
        noted_rows = [torch.stack(noted) for noted in zip(*self.pending, strict=True)]
        if demand is None:
            demand = torch.zeros_like(noted_rows[0][0])
        together = torch.cat([*noted_rows, demand.to(noted_rows[0]).unsqueeze(0)]).cpu()[:, live]
        loss, time, error = together[:-1].chunk(3)
        self.pending, models = [], models[live]
        first = loss[0] if self.seen == 0 else self.loss[0, models]
        bad = ~(loss <= DIVERGED * first.clamp(min=1.0)) | ~loss.isfinite()
        ends = bad | (loss <= self.stop_below[models])
        after = ends.cumsum(dim=0) - ends.long() > 0  # rows behind the first end
        rows = slice(self.seen, self.seen + len(loss))
        self.loss[rows, models] = loss.masked_fill(after, torch.nan)
        self.time[rows, models] = time.masked_fill(after, torch.nan)
        self.error[rows, models] = error.masked_fill(after, torch.nan)
        row, ended = ends.long().argmax(dim=0), ends.any(dim=0)
        self.last_step[models[ended]] = self.seen + row[ended]
        self.diverged[models] = ended & bad.gather(0, row.unsqueeze(0)).squeeze(0)
        self.seen += len(loss)
        goes_on = ~ended
        return goes_on, float(together[-1, goes_on].max()) if goes_on.any() else 0.0

    def increases(self, precision: torch.dtype) -> Tensor:
        """(steps + 1, K) int64: steps so far at which the loss rose by more than its rounding."""
        rose = self.loss.diff(dim=0) > RISE[precision] * self.loss[0]
        return torch.cat([torch.zeros_like(rose[:1]), rose]).cumsum(dim=0)
