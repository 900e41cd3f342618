"""Images at several scales at once: pyramids of them, and the layers that networks of several scales share."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.nn.side import ImageSize, layers_for, start_of

KEPT = 3  # doublings of the side over which the width stays


def scales_of(image_size: ImageSize, who: str) -> list[tuple[int, int]]:
    """Height and width of every scale, from 4 pixels up to the whole image; sides are powers of two from 16."""
    doublings = layers_for(image_size, None, who, least=16) - 1
    height, width = start_of(image_size)
    return [(height << level, width << level) for level in range(doublings + 1)]


def widths_of(channels: int, scales: int) -> list[int]:
    """Channels at each scale, small to large: the same over three doublings, then halved by each."""
    return [max(1, channels >> max(0, level - KEPT)) for level in range(scales)]


def pyramid(images: Tensor, scales: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Images B×C×H×W at smaller scales, small to large: each pixel the mean of those that it covers."""
    return [
        images if images.shape[2:] == torch.Size(sides) else F.adaptive_avg_pool2d(images, sides)
        for sides in scales
    ]


def norm_of(kind: str, channels: int) -> nn.Module:
    """A norm by its name: none, pixel, batch or instance."""
    kinds = {"pixel": PixelNorm, "none": nn.Identity}
    if kind in kinds:
        return kinds[kind]()
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)


class PixelNorm(nn.Module):
    """Divides the channels of each pixel by their root mean square.

    Paper: Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", 2018,
        https://arxiv.org/abs/1710.10196, section 4.2
    """

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden * (hidden.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class MinibatchDeviation(nn.Module):
    """Adds a channel that says how much the batch varies: B×C×h×w to B×(C+1)×h×w.

    Where several processes train a run, each sees how much its share of the batch varies.

    Paper: Karras et al., "Progressive Growing of GANs for Improved Quality, Stability, and Variation", 2018,
        https://arxiv.org/abs/1710.10196, section 3, over the whole batch
    """

    mixes_samples = True

    def forward(self, hidden: Tensor) -> Tensor:
        deviation = (hidden.var(0, unbiased=False) + 1e-8).sqrt().mean()
        return torch.cat([hidden, deviation.expand(len(hidden), 1, *hidden.shape[2:])], 1)
