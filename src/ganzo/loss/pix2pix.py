"""Loss `pix2pix`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import Loss
from ganzo.loss.gan import GANLoss
from ganzo.registry import Fraction, NonNegative, register


@register("loss", "pix2pix")
class Pix2PixLoss(Loss):
    """The loss `gan` on pairs; the generator's output should also lie near the target, pixel by pixel.

    Args:
        l1_weight: weight of the mean distance between output and target (λ)
        soft_labels: call real between 0.9 and 1 and fake between 0 and 0.1, drawn for each sample
        noisy_labels: let the discriminator now and then take a real sample for a fake one, and a fake one for real
        noisy_labels_frequency: the part of the samples that this happens to
        random: where the labels are drawn from; none for torch's own generator

    Shape: logits B×1 or B×1×h×w (averaged); the generator's pairs hold the channels of the output last, B×(C+K)×H×W,
        as many as the target has, B×K×H×W; each loss is a scalar.

    Paper: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017,
        https://arxiv.org/abs/1611.07004, Eq. 4

    Differs: the discriminator's loss is not divided by 2, as the paper does to slow it down; lower
        `--discriminator-lr` instead.
    """

    translates = True

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        l1_weight: NonNegative = 100.0,
        soft_labels: bool = False,
        noisy_labels: bool = False,
        noisy_labels_frequency: Fraction = 0.1,
        random: torch.Generator | None = None,
    ):
        super().__init__(critic)
        self.l1_weight = l1_weight
        self.gan = GANLoss(
            self.critic,
            soft_labels=soft_labels,
            noisy_labels=noisy_labels,
            noisy_labels_frequency=noisy_labels_frequency,
            random=random,
        )

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.gan.discriminator_loss(real, fake)

    def generator_loss(self, fake: Tensor) -> Tensor:
        return self.gan.generator_loss(fake)

    def for_generator(
        self, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The generator's loss for pairs of input and output; `target` is the wanted output."""
        assert target is not None, "the game hands over what is wanted"
        output = fake[:, -target.shape[1] :]
        assert output.shape == target.shape, f"output {tuple(output.shape)}, target {tuple(target.shape)}"
        distance = F.l1_loss(output, target)  # Eq. 3
        return super().for_generator(fake, labels=labels) + self.l1_weight * distance  # Eq. 4
