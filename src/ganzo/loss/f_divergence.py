"""Loss `f-divergence`."""

from collections.abc import Callable
from math import log
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import Loss
from ganzo.registry import register

Curve = Callable[[Tensor], Tensor]

# For each divergence, of the logit v: the output activation g(v), and the conjugate at it, f*(g(v)), simplified.
DIVERGENCES: dict[str, tuple[Curve, Curve]] = {
    "kl": (lambda v: v, lambda v: torch.exp(v - 1)),  # f*(t) = exp(t - 1)
    "reverse-kl": (lambda v: -torch.exp(-v), lambda v: v - 1),  # f*(t) = -1 - log(-t)
    "pearson": (lambda v: v, lambda v: v.square() / 4 + v),  # f*(t) = t²/4 + t
    "squared-hellinger": (lambda v: 1 - torch.exp(-v), torch.expm1),  # f*(t) = t / (1 - t)
    # f*(t) = -log(2 - exp(t))
    "jensen-shannon": (
        lambda v: log(2) - F.softplus(-v),
        lambda v: F.softplus(v) - log(2),
    ),
    "gan": (lambda v: -F.softplus(-v), F.softplus),  # f*(t) = -log(1 - exp(t))
    "total-variation": (lambda v: torch.tanh(v) / 2, lambda v: torch.tanh(v) / 2),  # f*(t) = t
}


@register("loss", "f-divergence")
class FDivergenceLoss(Loss):
    """f-GAN: the discriminator makes a lower bound of a divergence tight, the generator makes the divergence small.

    The bound is E[g(v)] over real images less E[f*(g(v))] over fake ones, with the output activation g and the convex
    conjugate f* of the divergence: kl g = v; reverse-kl -exp(-v); pearson v; squared-hellinger 1 - exp(-v);
    jensen-shannon log 2 - log(1 + exp(-v)); gan -log(1 + exp(-v)); total-variation tanh(v) / 2.

    Args:
        divergence: which divergence; `gan` gives the loss `gan` without its labels' options
        saturating: let the generator lower the bound itself, which stands still where the discriminator is sure;
            without it the generator raises E[g(v)] over its images, which pulls in the same direction

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Nowozin et al., "f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization", 2016,
        https://arxiv.org/abs/1606.00709, Eq. 6 with table 2 (total variation: table 6); section 3.2 for the generator
    """

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        divergence: Literal[
            "kl",
            "reverse-kl",
            "pearson",
            "squared-hellinger",
            "jensen-shannon",
            "gan",
            "total-variation",
        ] = "pearson",
        saturating: bool = False,
    ):
        super().__init__(critic)
        self.activation, self.conjugate = DIVERGENCES[divergence]
        self.saturating = saturating

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.conjugate(fake).mean() - self.activation(real).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -self.conjugate(fake).mean() if self.saturating else -self.activation(fake).mean()
