"""Many small images as one picture that people can look at."""

import math

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ganzo.nn.pixels import to_stored

SMALLEST = 64  # a smaller image is shown enlarged, at least to this side
BACKGROUND = 255


def to_picture(pixels: Tensor) -> Image.Image:
    """Stored pixels, uint8 C×H×W of 1 or 3 channels, as a picture of Pillow's."""
    array = pixels.cpu().permute(1, 2, 0).numpy()
    return Image.fromarray(array.squeeze(-1) if array.shape[-1] == 1 else array)


def grid(images: Tensor, columns: int | None = None) -> Tensor:
    """Lay images out in rows with gaps between them; small ones are enlarged smoothly.

    Args:
        images: B×C×H×W in [-1, 1], 1 or 3 channels
        columns: images in a row; none for a square

    Returns:
        One picture, uint8, C×H×W, white between the images.
    """
    n, _, height, width = images.shape
    columns = min(columns or max(1, math.isqrt(n)), n)
    rows = math.ceil(n / columns)
    times = max(1, math.ceil(SMALLEST / max(height, width)))
    if times > 1:
        images = F.interpolate(images.float(), scale_factor=times, mode="bicubic", align_corners=False)
    pixels = to_stored(images.cpu())
    gap = max(2, pixels.shape[-1] // 12)
    height, width = pixels.shape[-2:]
    size = (pixels.shape[1], rows * (height + gap) + gap, columns * (width + gap) + gap)
    picture = torch.full(size, BACKGROUND, dtype=torch.uint8)
    for index, image in enumerate(pixels):
        top, left = (
            gap + (i * (s + gap)) for i, s in zip(divmod(index, columns), (height, width), strict=True)
        )
        picture[:, top : top + height, left : left + width] = image
    return picture


def translations(made: Tensor, start: Tensor, target: Tensor) -> Tensor:
    """Lay out what was made of each input with the input and the target beside it, in rows of whole triples.

    Args:
        made: B×C×H×W in [-1, 1]
        start: the inputs, of any number of channels; grey ones are repeated, other numbers than 1 and 3 made grey
        target: the wanted outputs, of any number of channels too
    """
    rows = [i if i.shape[1] in (1, 3) else i.mean(1, keepdim=True) for i in (made, start, target)]
    colors = max(images.shape[1] for images in rows)
    triples = torch.stack([images.expand(-1, colors, -1, -1) for images in rows], 1)  # B×3×C×H×W
    return grid(triples.flatten(0, 1), columns=3 * max(1, round(math.sqrt(len(made) / 3))))
