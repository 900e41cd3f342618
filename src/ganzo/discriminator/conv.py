"""Discriminator `conv`."""

from math import prod

from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.side import layers_for, start_of
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, Fraction, ImageSize, register


@register("discriminator", "conv")
class ConvDiscriminator(Discriminator):
    """Convolutions: each halves the side and doubles the channels, the last one makes one logit of 4×4 pixels.

    Args:
        layers: number of convolutions; none for what the image size needs (5 for 64 pixels)
        channels: channels after the first layer
        dropout: part of the values that is dropped after each layer but the last; none for no dropout
        spectral_norm: hold the largest singular value of each layer's weights at 1, in place of batch norm
        image_size: side of the images, a power of two, or `WxH` with such a smaller side and a larger one that
            is a multiple of its quarter
        image_colors: colours of the images
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: images B×C×H×W in [-1, 1] to logits B×1, with those of classes B×K where the head is
        auxiliary; a plain head ignores labels.

    Paper: Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks", 2015, https://arxiv.org/abs/1511.06434

    Differs: far fewer channels; batch norm also after the first layer; PyTorch's own first weights.
    """

    def __init__(
        self,
        *,
        layers: Count | None = None,
        channels: Count = 8,
        dropout: Fraction | None = None,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        classes: int = 0,
        head: HeadKind = "plain",
    ):
        super().__init__()
        self.uses_labels = bool(classes) and head != "plain"
        modules: list[nn.Module] = []
        inputs = image_colors
        for i in range(layers_for(image_size, layers, "the discriminator `conv`") - 1):
            outputs = channels << i
            modules += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)]
            # a batch norm would undo the spectral norm
            modules += [] if spectral_norm else [nn.BatchNorm2d(outputs)]
            modules += [nn.LeakyReLU(0.2)]
            modules += [nn.Dropout(dropout)] if dropout is not None else []
            inputs = outputs
        self.layers = nn.Sequential(*modules)
        self.judge = Head(inputs * prod(start_of(image_size)), classes, head)
        spectral(self, spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        return self.judge(self.layers(images).flatten(1), labels)
