"""Regularizer `gradient-penalty`."""

import torch
from torch import Tensor

from ganzo.nn.gradient import gradient_penalty
from ganzo.registry import Count, NonNegative, register
from ganzo.regularizer import Judge, Regularizer


@register("regularizer", "gradient-penalty")
class GradientPenalty(Regularizer):
    """Holds the discriminator at one slope on the lines between real and fake images; `wgan-gp` brings it along.

    Args:
        factor: weight of the penalty (λ)
        target: the slope that it should have
        every: the penalty is taken in one turn out of so many, and counts so much more there
        random: where the points on the lines are drawn from; none for torch's own generator

    Shape: images B×C×H×W, as many real as fake, to a scalar.

    Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, https://arxiv.org/abs/1704.00028, Eq. 3
    """

    key = "gradient-penalty"

    def __init__(
        self,
        *,
        factor: NonNegative = 10.0,
        target: NonNegative = 1.0,
        every: Count = 1,
        random: torch.Generator | None = None,
    ):
        super().__init__(every)
        self.factor = factor
        self.target = target
        self.random = random

    def penalty(self, critic: Judge, real: Tensor, fake: Tensor) -> Tensor:
        return self.factor * gradient_penalty(critic, real, fake, self.target, self.random)
