"""Discriminator `cgan`."""

from itertools import pairwise
from math import prod

from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.side import channels_per_side, start_of
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, ImageSize, register


@register("discriminator", "cgan")
class ConditionalDiscriminator(Discriminator):
    """Class-conditional: layers that halve the side down to 4×4 pixels, then a projection on the label's embedding.

    Args:
        channels: channels that a layer at full size would have; the first layer has twice as many, and each further
            one twice those before
        max_channels: most channels at any size
        spectral_norm: divide the weights of every layer by their largest singular value
        image_size: side of the images, a power of two from 8 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: images B×C×H×W in [-1, 1] and labels B to logits B×1.

    Paper: Miyato & Koyama, "cGANs with Projection Discriminator", 2018, https://arxiv.org/abs/1802.05637

    Differs: plain convolutions with leaky ReLU (0.2), without normalisation.
    """

    def __init__(
        self,
        *,
        channels: Count = 16,
        max_channels: Count = 64,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        head: HeadKind = "projection",
    ):
        super().__init__()
        self.uses_labels = bool(classes) and head != "plain"
        widths = channels_per_side(image_size, channels, max_channels, "the discriminator `cgan`")
        widths[0] = image_colors
        modules: list[nn.Module] = []
        for before, after in pairwise(widths):
            modules += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.layers = spectral(nn.Sequential(*modules), spectral_norm)
        self.judge = spectral(Head(widths[-1] * prod(start_of(image_size)), classes, head), spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        return self.judge(self.layers(images).flatten(1), labels)
