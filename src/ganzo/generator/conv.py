"""Generator `conv`."""

from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.side import layers_for, start_of
from ganzo.registry import Count, Fraction, ImageSize, OptionError, register


@register("generator", "conv")
class ConvGenerator(Generator):
    """Transposed convolutions: the first makes 4×4 pixels, each further one doubles the side and halves the channels.

    Args:
        layers: number of transposed convolutions; none for what the image size needs (5 for 64 pixels)
        channels: channels after the first layer
        dropout: part of the values that is dropped after each layer but the last; none for no dropout
        image_size: side of the images, a power of two, or `WxH` with such a smaller side and a larger one that
            is a multiple of its quarter
        image_colors: colours of the images
        state_size: numbers per row of noise

    Shape: noise B×S to images B×C×H×W in [-1, 1]; labels are ignored.

    Paper: Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
        Networks", 2015, https://arxiv.org/abs/1511.06434

    Differs: far fewer channels; PyTorch's own first weights.
    """

    normalizes = True

    def __init__(
        self,
        *,
        layers: Count | None = None,
        channels: Count = 64,
        dropout: Fraction | None = None,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        count = layers_for(image_size, layers, "the generator `conv`")
        least = 2 ** (count - 2)
        if channels < least:
            raise OptionError(
                f"`channels` must be at least {least} for the generator `conv` when `image_size` is {image_size}, since"
                f" each layer halves them; got {channels}. Try {least}."
            )
        modules: list[nn.Module] = []
        inputs = state_size
        for i in range(count - 1):
            outputs = channels >> i
            kernel = start_of(image_size) if i == 0 else 4
            stride, padding = (1, 0) if i == 0 else (2, 1)  # from 1 to 4 pixels, then twice as many
            modules += [
                nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
            modules += [nn.Dropout(dropout)] if dropout is not None else []
            inputs = outputs
        self.layers = nn.Sequential(*modules, nn.ConvTranspose2d(inputs, image_colors, 4, 2, 1), nn.Tanh())

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(noise[:, :, None, None])
