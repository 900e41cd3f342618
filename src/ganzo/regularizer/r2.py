"""Regularizer `r2`."""

from torch import Tensor

from ganzo.nn.gradient import slopes
from ganzo.registry import Count, NonNegative, register
from ganzo.regularizer import Judge, Regularizer


@register("regularizer", "r2")
class R2(Regularizer):
    """Flattens the discriminator where the generated images are; the mirror image of `r1`.

    Args:
        weight: weight of the penalty (γ)
        every: the penalty is taken in one turn out of so many, and counts so much more there

    Shape: images B×C×H×W to a scalar.

    Paper: Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018,
        https://arxiv.org/abs/1801.04406, section 4.1
    """

    key = "r2"

    def __init__(self, *, weight: NonNegative = 10.0, every: Count = 1):
        super().__init__(every)
        self.weight = weight

    def penalty(self, critic: Judge, real: Tensor, fake: Tensor) -> Tensor:
        return self.weight / 2 * slopes(critic, fake).mean()
