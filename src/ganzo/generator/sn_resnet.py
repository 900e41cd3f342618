"""Generator `sn-resnet`."""

from math import prod

import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.initial import xavier
from ganzo.nn.residual import EvenUpBlock
from ganzo.nn.side import layers_for, start_of
from ganzo.registry import Count, ImageSize, register


@register("generator", "sn-resnet")
class SNResNetGenerator(Generator):
    """The small residual network of SNGAN: a linear layer to 4×4 pixels, then blocks of one width that double the side.

    There are three blocks for 32 pixels, and one more for each doubling.

    Args:
        channels: channels of every layer
        image_size: side of the images, a power of two from 32 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        state_size: numbers per row of noise

    Shape: noise B×S to images B×C×H×W in [-1, 1]; labels are ignored.

    Paper: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018,
        https://arxiv.org/abs/1802.05957, appendix B.4

    Differs: 128 channels in place of 256; shortcuts without convolution, since the width stays.
    """

    normalizes = True

    def __init__(
        self,
        *,
        channels: Count = 128,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        blocks = layers_for(image_size, None, "the generator `sn-resnet`", least=32) - 1
        self.start = (channels, *start_of(image_size))
        self.first = xavier(nn.Linear(state_size, prod(self.start)))
        self.blocks = nn.Sequential(*(EvenUpBlock(channels) for _ in range(blocks)))
        self.norm = nn.BatchNorm2d(channels)
        self.last = xavier(nn.Conv2d(channels, image_colors, 3, padding=1))

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.blocks(self.first(noise).unflatten(1, self.start))  # B×c×H×W
        return self.last(F.relu(self.norm(x))).tanh()
