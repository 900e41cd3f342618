"""Generator `msg`."""

from itertools import pairwise
from typing import Any, Literal

from torch import Tensor, nn

from ganzo.generator import Generator
from ganzo.nn.multiscale import norm_of, scales_of, widths_of
from ganzo.nn.residual import twice
from ganzo.registry import Count, ImageSize, register


@register("generator", "msg")
class MSGGenerator(Generator):
    """Makes an image at every scale, from 4×4 pixels up to the whole: each is judged, so each learns directly.

    It needs a discriminator that judges all scales at once, as `msg` does. Samples and scores are of the largest.

    Args:
        channels: channels up to 32×32 pixels; each further doubling halves them
        norm: what stands after each layer
        image_size: side of the images, a power of two from 16 up, or `WxH` with such a smaller side and a larger one
            that is a multiple of its quarter
        image_colors: colours of the images
        state_size: numbers per row of noise

    Shape: noise B×S to a list of images B×C×h×w in [-1, 1], small to large; labels are ignored.

    Paper: Karnewar & Wang, "MSG-GAN: Multi-Scale Gradients for Generative Adversarial Networks", 2020,
        https://arxiv.org/abs/1903.06048, section 2 (the progressive-growing variant)

    Differs: 128 channels in place of 512; PyTorch's own first weights in place of equalised learning rates; the images
        end in a tanh.
    """

    makes_scales = True

    def __init__(
        self,
        *,
        channels: Count = 128,
        norm: Literal["pixel", "batch", "instance", "none"] = "pixel",
        image_size: ImageSize = 64,
        image_colors: int = 3,
        state_size: int = 128,
    ):
        super().__init__()
        self.scales = scales_of(image_size, "the generator `msg`")
        widths = widths_of(channels, len(self.scales))

        def layer(inputs: int, outputs: int, start: bool = False) -> nn.Sequential:
            conv = (
                nn.ConvTranspose2d(inputs, outputs, self.scales[0])
                if start
                else nn.Conv2d(inputs, outputs, 3, padding=1)
            )
            return nn.Sequential(conv, nn.LeakyReLU(0.2), norm_of(norm, outputs))

        blocks = [nn.Sequential(layer(state_size, widths[0], start=True), layer(widths[0], widths[0]))]
        for inputs, outputs in pairwise(widths):
            blocks.append(nn.Sequential(layer(inputs, outputs), layer(outputs, outputs)))
        self.blocks = nn.ModuleList(blocks)
        self.to_colors = nn.ModuleList(nn.Conv2d(width, image_colors, 1) for width in widths)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Any:
        x, images = noise[:, :, None, None], []
        for level, (block, to_colors) in enumerate(zip(self.blocks, self.to_colors, strict=True)):
            x = block(twice(x) if level else x)  # B×c×h×w
            images.append(to_colors(x).tanh())
        return images
