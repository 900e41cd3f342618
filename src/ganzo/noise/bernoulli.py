"""Noise `bernoulli`."""

import torch
from torch import Tensor

from ganzo.noise import Noise
from ganzo.registry import Count, Fraction, register


@register("noise", "bernoulli")
class BernoulliNoise(Noise):
    """Independent coins: 1 with a probability p, else 0, or -1 where they are centred.

    Args:
        probability: how likely a 1 is (p)
        centred: draw from {-1, 1} instead of {0, 1}
        state_size: numbers per sample (the size of the latent space)
        batch_size: samples per draw when none is asked for
        device: where the noise is drawn
        seed: seed of the noise's own stream

    Shape: B×S, each number from {0, 1}, or {-1, 1}.
    """

    uses_labels = False

    def __init__(
        self,
        *,
        probability: Fraction = 0.5,
        centred: bool = False,
        state_size: Count = 128,
        batch_size: int = 64,
        device: torch.device | str = "cpu",
        seed: int | None = None,
    ):
        super().__init__(state_size, batch_size, device, seed)
        self.probability, self.centred = probability, centred

    def draw(self, n: int, generator: torch.Generator, labels: Tensor | None = None) -> Tensor:
        drawn = torch.rand(n, self.size, generator=generator, device=self.device) < self.probability
        return 2 * drawn.float() - 1 if self.centred else drawn.float()
