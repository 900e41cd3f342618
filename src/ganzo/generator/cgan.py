"""Generator `cgan`."""

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.conditional import ConditionalBatchNorm
from ganzo.nn.side import channels_per_side, start_of
from ganzo.registry import Count, ImageSize, register


@register("generator", "cgan")
class ConditionalGenerator(Generator):
    """Class-conditional: a linear stem to 4×4 pixels, then layers that double the side; labels steer the batch norms.

    Args:
        channels: channels at full size; they double at each halving of the side
        max_channels: most channels at any size
        image_size: side of the images, a power of two from 8 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        classes: number of classes; 0 for none
        state_size: numbers per row of noise

    Shape: noise B×S and labels B to images B×C×H×W in [-1, 1].

    Paper: Miyato & Koyama, "cGANs with Projection Discriminator", 2018, https://arxiv.org/abs/1802.05637

    Differs: the layers are those of DCGAN (Radford et al., 2015, https://arxiv.org/abs/1511.06434), with a last
        convolution at full size.
    """

    normalizes = True

    def __init__(
        self,
        *,
        channels: Count = 16,
        max_channels: Count = 64,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        state_size: int = 128,
    ):
        super().__init__()
        self.uses_labels = bool(classes)
        widths = channels_per_side(image_size, channels, max_channels, "the generator `cgan`")[::-1]
        self.start = (widths[0], *start_of(image_size))
        self.stem = nn.Linear(state_size, prod(self.start))
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
            for before, after in pairwise(widths)
        )
        self.norms = nn.ModuleList(ConditionalBatchNorm(width, classes) for width in widths)
        self.image = nn.Conv2d(widths[-1], image_colors, 3, padding=1)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        hidden = self.stem(noise).unflatten(1, self.start)  # (B, C, 4, 4)
        if self.image.weight.is_contiguous(memory_format=torch.channels_last):
            hidden = hidden.contiguous(memory_format=torch.channels_last)
        hidden = self.norms[0](hidden, labels).relu()
        for layer, norm in zip(self.layers, list(self.norms)[1:], strict=True):
            hidden = norm(layer(hidden), labels).relu()
        return self.image(hidden).tanh()
