"""Loss `relativistic-average`."""

from collections.abc import Callable
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import RelativeLoss
from ganzo.nn import ranks
from ganzo.registry import register

FORMS: dict[
    str, Callable[[Tensor], Tensor]
] = {  # what it costs that a margin is not as large as it should be
    "logistic": lambda margin: F.softplus(-margin),
    "hinge": lambda margin: F.relu(1 - margin),
    "least-squares": lambda margin: (margin - 1).square(),
}


@register("loss", "relativistic-average")
class RelativisticAverageLoss(RelativeLoss):
    """Relativistic average: what counts is how far an image's logit lies from the mean logit of the other side.

    The discriminator wants real images above the mean fake and fakes below the mean real, the generator the opposite
    of both. It needs real images too, of the same labels: the game hands them over as `real`.

    Args:
        relativistic_form: what a distance costs: logistic (RaSGAN), hinge (RaHingeGAN) or least-squares (RaLSGAN)

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN", 2018,
        https://arxiv.org/abs/1807.00734, section 4.2; the other forms are in its appendix
    """

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        relativistic_form: Literal["logistic", "hinge", "least-squares"] = "logistic",
    ):
        super().__init__(critic)
        self.cost = FORMS[relativistic_form]

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.cost(real - mean(fake)).mean() + self.cost(mean(real) - fake).mean()

    def generator_loss(self, fake: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]  # one side says nothing
        return self.cost(fake - mean(real)).mean() + self.cost(mean(fake) - real).mean()


def mean(logits: Tensor) -> Tensor:
    """The mean logit of the whole batch, also where other ranks hold a part of it."""
    return ranks.mean(logits.mean())
