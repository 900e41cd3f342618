"""Regularizer `r1`."""

from torch import Tensor

from ganzo.nn.gradient import slopes
from ganzo.registry import Count, NonNegative, register
from ganzo.regularizer import Judge, Regularizer


@register("regularizer", "r1")
class R1(Regularizer):
    """Flattens the discriminator where the real images are: training then settles where fakes equal them.

    Args:
        weight: weight of the penalty (γ)
        every: the penalty is taken in one turn out of so many, and counts so much more there

    Shape: images B×C×H×W to a scalar.

    Paper: Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018,
        https://arxiv.org/abs/1801.04406, Eq. 9; taken now and then: Karras et al., "Analyzing and Improving the Image
        Quality of StyleGAN", 2019, https://arxiv.org/abs/1912.04958, section 3.1
    """

    key = "r1"

    def __init__(self, *, weight: NonNegative = 10.0, every: Count = 1):
        super().__init__(every)
        self.weight = weight

    def penalty(self, critic: Judge, real: Tensor, fake: Tensor) -> Tensor:
        return self.weight / 2 * slopes(critic, real).mean()  # Eq. 9: zero-centred, on real samples only
