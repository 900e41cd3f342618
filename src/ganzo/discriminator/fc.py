"""Discriminator `fc`."""

from torch import Tensor, nn

from ganzo.discriminator import Discriminator, Verdict
from ganzo.nn.conditional import Head, HeadKind
from ganzo.nn.side import bound_doublings, sides
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, Fraction, ImageSize, register


@register("discriminator", "fc", default=True)
class FCDiscriminator(Discriminator):
    """Fully connected layers, each half as wide as the one before; the last one gives one logit.

    Args:
        layers: number of linear layers; none for 4 too
        dropout: part of the values that is dropped after each layer but the last; none for no dropout
        spectral_norm: hold the largest singular value of each layer's weights at 1
        image_size: side of the images, or `WxH`
        image_colors: colours of the images
        state_size: half the width of the last hidden layer, as in the generator
        classes: number of classes; 0 for none
        head: what the last layer does with labels

    Shape: images B×C×H×W in [-1, 1] to logits B×1, with those of classes B×K where the head is
        auxiliary; a plain head ignores labels.

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661

    Differs: leaky ReLU in place of maxout.
    """

    def __init__(
        self,
        *,
        layers: Count | None = 4,
        dropout: Fraction | None = None,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
        classes: int = 0,
        head: HeadKind = "plain",
    ):
        super().__init__()
        layers = 4 if layers is None else layers
        self.uses_labels = bool(classes) and head != "plain"
        bound_doublings(layers, state_size, "the discriminator `fc`")
        modules: list[nn.Module] = []
        height, width = sides(image_size)
        inputs = image_colors * height * width
        for i in range(layers - 1, 0, -1):
            modules += [nn.Linear(inputs, state_size * 2**i), nn.LeakyReLU(0.2)]
            modules += [nn.Dropout(dropout)] if dropout is not None else []
            inputs = state_size * 2**i
        self.layers = nn.Sequential(*modules)
        self.judge = Head(inputs, classes, head)
        spectral(self, spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        return self.judge(self.layers(images.flatten(1)), labels)
