"""Loss `lsgan`."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ganzo.loss import Loss
from ganzo.registry import register


@register("loss", "lsgan")
class LSGANLoss(Loss):
    """Least squares: logits are drawn to a number for real images, to another for fake ones, and to what G wants.

    Args:
        fake_label: where the discriminator wants the logits of fake images (a)
        real_label: where the discriminator wants the logits of real images (b)
        wanted_label: where the generator wants the logits of its images (c)

    With b - c = 1 and b - a = 2, as for -1, 1, 0, the generator minimizes Pearson's χ² between the sum of the two
    distributions and twice its own; with c = b, as for 0, 1, 1, it wants to be taken for real.

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Mao et al., "Least Squares Generative Adversarial Networks", 2017, https://arxiv.org/abs/1611.04076, Eq. 2;
        the labels are those of Eq. 9

    Differs: without the factor 1/2.
    """

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        fake_label: float = 0.0,
        real_label: float = 1.0,
        wanted_label: float = 1.0,
    ):
        super().__init__(critic)
        self.fake_label, self.real_label, self.wanted_label = fake_label, real_label, wanted_label

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real - self.real_label).square().mean() + (fake - self.fake_label).square().mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return (fake - self.wanted_label).square().mean()
