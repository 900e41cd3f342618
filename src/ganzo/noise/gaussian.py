"""Noise `gaussian`."""

import torch
from torch import Tensor

from ganzo.noise import Noise
from ganzo.registry import Count, register


@register("noise", "gaussian", default=True)
class GaussianNoise(Noise):
    """Independent standard normal numbers.

    Args:
        state_size: numbers per sample (the size of the latent space)
        batch_size: samples per draw when none is asked for
        device: where the noise is drawn
        seed: seed of the noise's own stream

    Shape: B×S, each number from N(0, 1).

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661
    """

    uses_labels = False

    def __init__(
        self,
        *,
        state_size: Count = 128,
        batch_size: int = 64,
        device: torch.device | str = "cpu",
        seed: int | None = None,
    ):
        super().__init__(state_size, batch_size, device, seed)

    def draw(self, n: int, generator: torch.Generator, labels: Tensor | None = None) -> Tensor:
        return torch.randn(n, self.size, generator=generator, device=self.device)
