"""Loss `hinge`."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import Loss
from ganzo.registry import NonNegative, register


@register("loss", "hinge")
class HingeLoss(Loss):
    """Hinge loss: a sample past the margin no longer pushes the discriminator.

    Args:
        margin: how far past zero a logit must be before it stops counting

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Lim & Ye, "Geometric GAN", 2017, https://arxiv.org/abs/1705.02894
    """

    def __init__(self, critic: Callable[..., Any], *, margin: NonNegative = 1.0):
        super().__init__(critic)
        self.margin = margin

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(self.margin - real).mean() + F.relu(self.margin + fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()
