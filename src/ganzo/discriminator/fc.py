"""Discriminator `fc`."""

from torch import Tensor, nn

from ganzo.discriminator import Discriminator
from ganzo.nn.side import bound_doublings
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, Fraction, register


@register("discriminator", "fc", default=True)
class FCDiscriminator(Discriminator):
    """Fully connected layers, each half as wide as the one before; the last one gives one logit.

    Args:
        layers: number of linear layers
        dropout: part of the values that is dropped after each layer but the last; none for no dropout
        spectral_norm: hold the largest singular value of each layer's weights at 1
        image_size: side of the images
        image_colors: colours of the images
        state_size: half the width of the last hidden layer, as in the generator

    Shape: images B×C×H×W in [-1, 1] to logits B×1; labels are ignored.

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661

    Differs: leaky ReLU in place of maxout.
    """

    def __init__(
        self,
        *,
        layers: Count = 4,
        dropout: Fraction | None = None,
        spectral_norm: bool = False,
        image_size: int = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        bound_doublings(layers, state_size, "the discriminator `fc`")
        modules: list[nn.Module] = []
        inputs = image_colors * image_size**2
        for i in range(layers - 1, 0, -1):
            modules += [nn.Linear(inputs, state_size * 2**i), nn.LeakyReLU(0.2)]
            modules += [nn.Dropout(dropout)] if dropout is not None else []
            inputs = state_size * 2**i
        self.layers = spectral(nn.Sequential(*modules, nn.Linear(inputs, 1)), spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(images.flatten(1))
