"""Generator `fc`."""

from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.side import bound_doublings, sides
from ganzo.registry import Count, Fraction, ImageSize, register


@register("generator", "fc", default=True)
class FCGenerator(Generator):
    """Fully connected layers, each twice as wide as the one before; the last one paints every pixel.

    Args:
        layers: number of linear layers; none for 4 too
        dropout: part of the values that is dropped after each layer but the last; none for no dropout
        image_size: side of the images, or `WxH`
        image_colors: colours of the images
        state_size: numbers per row of noise

    Shape: noise B×S to images B×C×H×W in [-1, 1]; labels are ignored.

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, https://arxiv.org/abs/1406.2661

    Differs: leaky ReLU in place of ReLU and sigmoid, tanh at the end.
    """

    def __init__(
        self,
        *,
        layers: Count | None = 4,
        dropout: Fraction | None = None,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        layers = 4 if layers is None else layers
        bound_doublings(layers, state_size, "the generator `fc`")
        height, width = sides(image_size)
        self.shape = (image_colors, height, width)
        modules: list[nn.Module] = []
        inputs = state_size
        for _ in range(layers - 1):
            modules += [nn.Linear(inputs, 2 * inputs), nn.LeakyReLU(0.2)]
            modules += [nn.Dropout(dropout)] if dropout is not None else []
            inputs *= 2
        self.layers = nn.Sequential(*modules, nn.Linear(inputs, image_colors * height * width), nn.Tanh())

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(noise).reshape(-1, *self.shape)
