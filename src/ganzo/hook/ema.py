"""Hook `ema`."""

import copy
from typing import Any

import torch
from torch import nn

from ganzo.hook import Hook
from ganzo.registry import Fraction, register


@register("hook", "ema")
class EMA(Hook):
    """Keeps a moving average of the player's weights, from which samples are better than from the latest weights.

    Args:
        decay: how much of the average stays at each move
        ramp: let young averages forget faster: the decay starts at 0.1 and rises to its value

    Attributes:
        average: the averaged network, in evaluation mode and without gradients
        steps: moves so far

    Paper: Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN Training", 2018, https://arxiv.org/abs/1806.04498

    Differs: the ramp, min(decay, (1 + t) / (10 + t)) at move t = 0, 1, …; buffers are copied, not averaged.
    """

    def __init__(self, *, decay: Fraction = 0.999, ramp: bool = True):
        self.decay = decay
        self.ramp = ramp
        self.steps = 0
        self.average = None
        self.listed: nn.Module | None = None  # the model whose tensors were found
        self.weights: tuple[list[Any], list[Any]] = ([], [])
        self.buffers: tuple[list[Any], list[Any]] = ([], [])

    def attach(self, model: nn.Module) -> None:
        self.average = copy.deepcopy(model).eval().requires_grad_(False)
        self.listed = None

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        if self.average is None:
            self.attach(model)
        assert self.average is not None, "attach makes it"
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.ramp else self.decay
        # the tensors are found once: walking the modules takes longer than the arithmetic
        if self.listed is not model:
            self.listed = model
            self.weights = list(self.average.parameters()), list(model.parameters())
            self.buffers = list(self.average.buffers()), list(model.buffers())
        torch._foreach_lerp_(*self.weights, 1 - decay)
        if self.buffers[0]:
            torch._foreach_copy_(*self.buffers)
        # its batch-norm statistics are those of the raw weights
        if not getattr(self.average, "stale", False):
            self.average.stale = True  # type: ignore[assignment]
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        if self.average is not None:
            self.average.stale = True  # type: ignore[assignment]
