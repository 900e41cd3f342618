"""Loss `wgan-gp`."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzo.loss import Loss
from ganzo.nn.gradient import gradient_penalty
from ganzo.registry import NonNegative, register


@register("loss", "wgan-gp")
class WGANGPLoss(Loss):
    """Wasserstein loss whose critic is held at a slope of 1 on the lines between real and fake images.

    Args:
        gradient_penalty_factor: weight of the gradient penalty (λ)
        random: where the points on the lines are drawn from; none for torch's own generator

    Attributes:
        penalties: the keys of the penalties it brings; a regularizer of the same key beside it is refused

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, https://arxiv.org/abs/1704.00028, Eq. 3
    """

    penalties: ClassVar[tuple[str, ...]] = ("gradient-penalty",)

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        gradient_penalty_factor: NonNegative = 10.0,
        random: torch.Generator | None = None,
    ):
        super().__init__(critic)
        self.factor = gradient_penalty_factor
        self.random = random

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()

    def for_discriminator(
        self, real: Tensor, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The discriminator's loss with its penalty, which judges the points between under the same labels."""
        labels = target if labels is None else labels
        loss = super().for_discriminator(real, fake, labels=labels)
        penalty = gradient_penalty(self.critic.given(labels), real, fake, random=self.random)
        return loss + self.factor * penalty
