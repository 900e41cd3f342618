"""Generator `good`."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.initial import he, xavier
from ganzo.nn.residual import UpBlock
from ganzo.nn.side import base_sides, sides
from ganzo.registry import Count, ImageSize, register


@register("generator", "good")
class GoodGenerator(Generator):
    """The residual network of WGAN-GP: four blocks that double the side, with batch norm.

    Args:
        channels: channels after the last block (the first has eight times as many); none for one for each
            pixel of the smaller side
        image_size: side of the images, or `WxH`; each side a multiple of 16
        image_colors: colours of the images
        state_size: numbers per row of noise

    Shape: noise B×S to images B×C×H×W in [-1, 1]; labels are ignored.

    Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, https://arxiv.org/abs/1704.00028, appendix F
    """

    normalizes = True

    def __init__(
        self,
        *,
        channels: Count | None = None,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        height, breadth = base_sides(image_size, "the generator `good`")
        width = channels or min(sides(image_size))
        widths = [8 * width, 8 * width, 4 * width, 2 * width, width]
        self.start = (widths[0], height, breadth)
        self.first = xavier(nn.Linear(state_size, widths[0] * height * breadth))
        self.blocks = nn.Sequential(*(UpBlock(i, o) for i, o in pairwise(widths)))
        self.norm = nn.BatchNorm2d(width)
        self.last = he(nn.Conv2d(width, image_colors, 3, padding=1))

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.blocks(self.first(noise).reshape(-1, *self.start))  # B×w×H×W
        return self.last(F.relu(self.norm(x))).tanh()
