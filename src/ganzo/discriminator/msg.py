"""Discriminator `msg`."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.multiscale import MinibatchDeviation, norm_of, pyramid, scales_of, widths_of
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, ImageSize, register


@register("discriminator", "msg")
class MSGDiscriminator(Discriminator):
    """Judges an image at all scales at once: each smaller one joins the features where they have come to its side.

    A single image is judged with its own smaller copies, so it also stands beside any other generator.

    Args:
        channels: channels up to 32×32 pixels; each further doubling halves them
        norm: what stands after each layer
        minibatch_deviation: let the last layers see how much the batch varies
        spectral_norm: hold the largest singular value of each layer's weights at 1
        image_size: side of the images, a power of two from 16 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: a list of images B×C×h×w in [-1, 1], small to large, or the largest alone, to logits B×1, with those of
        classes B×K where the head is auxiliary; a plain head ignores labels.

    Paper: Karnewar & Wang, "MSG-GAN: Multi-Scale Gradients for Generative Adversarial Networks", 2020,
        https://arxiv.org/abs/1903.06048, section 2 (φ_lin_cat); the deviation: Karras et al., "Progressive Growing of
        GANs for Improved Quality, Stability, and Variation", 2018, https://arxiv.org/abs/1710.10196, section 3

    Differs: 128 channels in place of 512; PyTorch's own first weights in place of equalised learning rates; the
        deviation of the whole batch, of which each of several processes sees its share.
    """

    def __init__(
        self,
        *,
        channels: Count = 128,
        norm: Literal["none", "batch", "instance"] = "none",
        minibatch_deviation: bool = True,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        head: HeadKind = "plain",
    ):
        super().__init__()
        self.uses_labels = bool(classes) and head != "plain"
        self.scales = scales = scales_of(image_size, "the discriminator `msg`")
        widths = widths_of(channels, len(scales))
        self.from_colors = nn.ModuleList(nn.Conv2d(image_colors, width, 1) for width in widths)

        def layer(inputs: int, outputs: int) -> nn.Sequential:
            conv = nn.Conv2d(inputs, outputs, 3, padding=1)
            return nn.Sequential(conv, nn.LeakyReLU(0.2), norm_of(norm, outputs))

        blocks = []  # small to large; each but the largest finds an image beside its features
        for level in range(1, len(widths)):
            inputs = widths[level] * (1 if level == len(widths) - 1 else 2)
            blocks.append(
                nn.Sequential(layer(inputs, widths[level]), layer(widths[level], widths[level - 1]))
            )
        self.blocks = nn.ModuleList(blocks)
        extra: list[nn.Module] = [MinibatchDeviation()] if minibatch_deviation else []
        last = nn.Conv2d(widths[0], widths[0], scales[0])
        self.last = nn.Sequential(
            *extra, layer(2 * widths[0] + len(extra), widths[0]), last, nn.LeakyReLU(0.2), nn.Flatten()
        )
        self.judge = Head(widths[0], classes, head)
        spectral(self, spectral_norm)

    def forward(self, images: Any, labels: Tensor | None = None) -> Tensor | Verdict:
        images = pyramid(images, self.scales or ()) if isinstance(images, Tensor) else images
        x = self.from_colors[-1](images[-1])  # B×c×H×W
        for level in reversed(range(len(self.blocks))):
            x = F.avg_pool2d(self.blocks[level](x), 2)
            x = torch.cat([x, self.from_colors[level](images[level])], 1)  # B×2c×h×w
        return self.judge(self.last(x), labels)
