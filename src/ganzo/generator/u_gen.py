"""Generator `u-gen`."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.side import check_halvings
from ganzo.registry import Count, Fraction, ImageSize, register

NOISY = 3  # of the layers on the way up, counted from the innermost


@register("generator", "u-gen")
class UGenerator(Generator):
    """A U-net, image to image: each layer on the way up also sees what the way down had at the same size.

    Args:
        layers: number of layers on either way, beside the first and the last
        channels: channels after the first layer; each further one doubles them
        dropout: part of the values that is dropped after each of the three innermost layers of the way up, also when
            sampling, since this is the noise; none for the same output each time
        image_size: side of the images, or `WxH`; each side a multiple of 2 to the power of `layers` + 1
        image_colors: colours of the images that it makes
        input_colors: colours of the images that it starts from; none for as many

    Shape: images B×C×H×W to images B×C×H×W in [-1, 1]; labels are ignored.

    Paper: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017,
        https://arxiv.org/abs/1611.07004

    Differs: far fewer channels; the innermost layer of the way up sees its input twice; PyTorch's own first weights.
        As in the paper, dropout stays on in evaluation mode: outputs repeat under the same seed, not by themselves.
        Batch norm uses its running statistics there, where the paper uses the batch's.
    """

    translates = True
    normalizes = True

    def __init__(
        self,
        *,
        layers: Count = 4,
        channels: Count = 8,
        dropout: Fraction | None = 0.5,
        image_size: ImageSize = 64,
        image_colors: int = 3,
        input_colors: int | None = None,
    ):
        super().__init__()
        check_halvings(image_size, layers, "the generator `u-gen`")
        widths = [channels << level for level in range(layers + 1)]
        self.first = nn.Conv2d(input_colors or image_colors, channels, 4, stride=2, padding=1)
        self.down = nn.ModuleList()
        for before, after in pairwise(widths):
            norms = [nn.BatchNorm2d(after)] if after < widths[-1] else []  # the innermost may be one pixel
            self.down.append(
                nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(before, after, 4, stride=2, padding=1), *norms)
            )
        self.up = nn.ModuleList()
        for level, (before, after) in enumerate(pairwise(widths[::-1])):
            noise = [LastingDropout(dropout)] if dropout is not None and level < NOISY else []
            layer = nn.ConvTranspose2d(2 * before, after, 4, stride=2, padding=1)
            self.up.append(nn.Sequential(nn.ReLU(), layer, nn.BatchNorm2d(after), *noise))
        self.last = nn.ConvTranspose2d(2 * channels, image_colors, 4, stride=2, padding=1)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        levels = [self.first(noise)]
        for layer in self.down:
            levels.append(layer(levels[-1]))
        x = levels[-1]
        for layer in self.up:
            x = layer(torch.cat([x, levels.pop()], 1))  # B×2c×h×w to B×c/2×2h×2w
        return self.last(F.relu(torch.cat([x, levels.pop()], 1))).tanh()


class LastingDropout(nn.Dropout):
    """Dropout that is the noise of a network, so that evaluation mode leaves it on."""

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, training=True)
