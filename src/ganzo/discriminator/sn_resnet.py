"""Discriminator `sn-resnet`."""

import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.initial import xavier
from ganzo.nn.residual import PlainBlock
from ganzo.nn.side import layers_for
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, ImageSize, register


@register("discriminator", "sn-resnet")
class SNResNetDiscriminator(Discriminator):
    """The small residual network of SNGAN: blocks that halve the side down to 8×8 pixels, two that keep it, their mean.

    Two blocks halve 32 pixels, and one more for each doubling of them.

    Args:
        channels: channels of every layer
        spectral_norm: hold the largest singular value of each layer's weights at 1
        image_size: side of the images, a power of two from 32 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: images B×C×H×W in [-1, 1] to logits B×1, with those of classes B×K where the head is
        auxiliary; a plain head ignores labels.

    Paper: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018,
        https://arxiv.org/abs/1802.05957, appendix B.4

    Differs: the mean over the last pixels in place of their sum.
    """

    def __init__(
        self,
        *,
        channels: Count = 128,
        spectral_norm: bool = True,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        head: HeadKind = "plain",
    ):
        super().__init__()
        self.uses_labels = bool(classes) and head != "plain"
        halvings = layers_for(image_size, None, "the discriminator `sn-resnet`", least=32) - 2
        blocks = [PlainBlock(image_colors, channels, halve=True, bend=False)]
        blocks += [PlainBlock(channels, channels, halve=True) for _ in range(halvings - 1)]
        self.blocks = nn.Sequential(*blocks, *(PlainBlock(channels, channels) for _ in range(2)))
        self.judge = Head(channels, classes, head)
        xavier(self.judge.judge.linear)
        spectral(self, spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        return self.judge(F.relu(self.blocks(images)).mean((2, 3)), labels)

    def features(self, images: Tensor, until: int = 2) -> Tensor:
        """What comes out of the first `until` blocks, B×channels×h×w; `forward_from` goes on from there."""
        return self.blocks[:until](images)

    def forward_from(
        self, features: Tensor, labels: Tensor | None = None, after: int = 2
    ) -> Tensor | Verdict:
        """Judge by what came out of the first `after` blocks, perhaps a mixture of several images' features."""
        return self.judge(F.relu(self.blocks[after:](features)).mean((2, 3)), labels)
