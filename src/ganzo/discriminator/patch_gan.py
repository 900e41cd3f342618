"""Discriminator `patch-gan`."""

from typing import Literal

from torch import Tensor, nn

from ganzo.discriminator import Discriminator
from ganzo.nn.side import sides, size_of
from ganzo.nn.spectral import spectral
from ganzo.registry import Count, ImageSize, OptionError, register

HALVINGS = {16: 1, 70: 3, 94: 4, 286: 5}  # layers of stride 2, by receptive field
WIDEST = 3  # doublings of the channels


@register("discriminator", "patch-gan")
class PatchGANDiscriminator(Discriminator):
    """Judges patches: convolutions that make one logit for each place, and each logit sees a square of the image.

    A receptive field of 94 has four layers of stride 2 and a last one without padding: 64 pixels give one logit, 128
    give 5×5. Those of 16, 70 and 286 are the paper's: one, three or five layers of stride 2, one of stride 1 and the
    last one, all padded by 1: at 70, 64 pixels give 6×6 logits. The smallest images for 16, 70, 94 and 286
    have 6, 24, 64 and 96 pixels.

    Args:
        receptive_field: side of the square of pixels that a logit sees
        channels: channels after the first layer; they double up to eight times as many
        spectral_norm: hold the largest singular value of each layer's weights at 1, in place of batch norm
        image_size: side of the images, or `WxH`
        image_colors: colours of the images; of a pair, those of both together

    Shape: images B×C×H×W in [-1, 1] to logits B×1×h×w, which the loss averages; labels are ignored.

    Paper: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017,
        https://arxiv.org/abs/1611.07004

    Differs: far fewer channels; PyTorch's own first weights. The field of 94, which the paper does not have, is that
        of the older Ganzo.
    """

    def __init__(
        self,
        *,
        receptive_field: Literal[16, 70, 94, 286] = 70,
        channels: Count = 4,
        spectral_norm: bool = False,
        image_size: ImageSize = 64,
        image_colors: int = 3,
    ):
        super().__init__()
        check_field(image_size, receptive_field)
        padding = 0 if receptive_field == 94 else 1
        strides = [2] * HALVINGS[receptive_field] + [1] * padding
        modules: list[nn.Module] = []
        inputs = image_colors
        for i, stride in enumerate(strides):
            outputs = channels << min(i, WIDEST)
            modules += [nn.Conv2d(inputs, outputs, 4, stride, padding=1)]
            modules += [nn.BatchNorm2d(outputs)] if i and not spectral_norm else []
            modules += [nn.LeakyReLU(0.2)]
            inputs = outputs
        self.layers = spectral(nn.Sequential(*modules, nn.Conv2d(inputs, 1, 4, 1, padding)), spectral_norm)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(images)


def least_side(receptive_field: int) -> int:
    """The smallest side of which a logit is left."""
    return (4 if receptive_field == 94 else 3) << HALVINGS[receptive_field]


def check_field(image_size: int | str, receptive_field: int) -> None:
    """Refuse images too small for the field, with a size and a field that fit."""
    height, width = sides(image_size)
    least = least_side(receptive_field)
    if min(height, width) < least:
        fitting = [field for field in HALVINGS if least_side(field) <= min(height, width)]
        other = f", or `receptive_field` {fitting[-1]}" if fitting else ""
        raise OptionError(
            f"`image_size` must be at least {least} for the discriminator `patch-gan` when `receptive_field` is"
            f" {receptive_field}, or no logit is left; got {image_size}. Try"
            f" {size_of(max(height, least), max(width, least))}{other}."
        )
