"""Discriminator `good`."""

from itertools import pairwise

from torch import Tensor, nn

from ganzo.discriminator import Discriminator
from ganzo.nn.initial import xavier
from ganzo.nn.residual import DownBlock
from ganzo.nn.side import base_side
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, register


@register("discriminator", "good")
class GoodDiscriminator(Discriminator):
    """The residual critic of WGAN-GP: four blocks that halve the side, with layer norm, which suits a gradient penalty.

    Args:
        channels: channels before the first block (the last has eight times as many); none for as many as the image size
        spectral_norm: hold the largest singular value of each layer's weights at 1, in place of layer norm
        image_size: side of the images, a multiple of 16
        image_colors: colours of the images

    Shape: images B×C×H×W in [-1, 1] to logits B×1; labels are ignored.

    Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, https://arxiv.org/abs/1704.00028, appendix F
    """

    def __init__(
        self,
        *,
        channels: Count | None = None,
        spectral_norm: bool = False,
        image_size: int = 64,
        image_colors: int = 3,
    ):
        super().__init__()
        side = base_side(image_size, "the discriminator `good`")
        width = channels if channels is not None else image_size
        widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        blocks = [
            DownBlock(inputs, outputs, image_size >> i, normalize=not spectral_norm)
            for i, (inputs, outputs) in enumerate(pairwise(widths))
        ]
        self.first = xavier(nn.Conv2d(image_colors, width, 3, padding=1))
        self.blocks = nn.Sequential(*blocks)
        self.last = xavier(nn.Linear(widths[-1] * side * side, 1))
        spectral(self, spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.last(self.blocks(self.first(images)).flatten(1))
