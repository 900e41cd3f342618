"""Discriminator `good`."""

from itertools import pairwise

from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.initial import xavier
from ganzo.nn.residual import DownBlock
from ganzo.nn.side import base_sides, sides
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, ImageSize, register


@register("discriminator", "good")
class GoodDiscriminator(Discriminator):
    """The residual critic of WGAN-GP: four blocks that halve the side, with layer norm, which suits a gradient penalty.

    Args:
        channels: channels before the first block (the last has eight times as many); none for one for each
            pixel of the smaller side
        spectral_norm: hold the largest singular value of each layer's weights at 1, in place of layer norm
        image_size: side of the images, or `WxH`; each side a multiple of 16
        image_colors: colours of the images
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: images B×C×H×W in [-1, 1] to logits B×1, with those of classes B×K where the head is
        auxiliary; a plain head ignores labels.

    Paper: Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, https://arxiv.org/abs/1704.00028, appendix F
    """

    def __init__(
        self,
        *,
        channels: Count | None = None,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        head: HeadKind = "plain",
    ):
        super().__init__()
        self.uses_labels = bool(classes) and head != "plain"
        height, breadth = base_sides(image_size, "the discriminator `good`")
        width = channels or min(sides(image_size))
        widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        blocks = [
            DownBlock(inputs, outputs, (height << (4 - i), breadth << (4 - i)), normalize=not spectral_norm)
            for i, (inputs, outputs) in enumerate(pairwise(widths))
        ]
        self.first = xavier(nn.Conv2d(image_colors, width, 3, padding=1))
        self.blocks = nn.Sequential(*blocks)
        self.judge = Head(widths[-1] * height * breadth, classes, head)
        xavier(self.judge.judge.linear)
        spectral(self, spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        return self.judge(self.blocks(self.first(images)).flatten(1), labels)
