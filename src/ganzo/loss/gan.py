"""Loss `gan`."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import Loss
from ganzo.nn.draw import per_sample, uniform
from ganzo.registry import Fraction, register


@register("loss", "gan", default=True)
class GANLoss(Loss):
    """The first GAN: the discriminator tells real from fake, the generator wants its images to be called real.

    Args:
        soft_labels: call real between 0.9 and 1 and fake between 0 and 0.1, drawn for each sample
        noisy_labels: let the discriminator now and then take a real sample for a fake one, and a fake one for real
        noisy_labels_frequency: the part of the samples that this happens to
        random: where the labels are drawn from; none for torch's own generator

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661, section 3
        (the generator maximizes log D(G(z))); soft labels: Salimans et al., "Improved Techniques for Training GANs",
        2016, https://arxiv.org/abs/1606.03498, section 3.4

    Differs: soft labels on both sides, where Salimans et al. soften only the real one.
    """

    def __init__(
        self,
        critic: Callable[..., Any],
        *,
        soft_labels: bool = False,
        noisy_labels: bool = False,
        noisy_labels_frequency: Fraction = 0.1,
        random: torch.Generator | None = None,
    ):
        super().__init__(critic)
        self.soft_labels = soft_labels
        self.noise = noisy_labels_frequency if noisy_labels else 0.0
        self.random = random

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return self._distance(real, 1.0, self.noise) + self._distance(fake, 0.0, self.noise)

    def generator_loss(self, fake: Tensor) -> Tensor:
        return self._distance(fake, 1.0)

    def _distance(self, logits: Tensor, label: float, noise: float = 0.0) -> Tensor:
        """How far the logits are from saying the label: the binary cross-entropy."""
        labels = torch.full_like(logits, label)
        if self.soft_labels or noise:
            labels = self._disturbed(labels, noise)
        return F.binary_cross_entropy_with_logits(logits, labels)

    def _disturbed(self, labels: Tensor, noise: float) -> Tensor:
        """Soft and noisy labels in place of sure ones, the same for all patches of a sample."""
        shape = per_sample(labels)  # B×1 or B×1×1×1
        if self.soft_labels:
            labels = (labels - 0.1 * uniform(shape, labels, self.random)).abs()
        if noise:
            labels = torch.where(uniform(shape, labels, self.random) < noise, 1 - labels, labels)
        return labels
