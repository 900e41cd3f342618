"""Many small images as one picture that people can look at."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzo.nn.pixels import to_stored

SMALLEST = 64  # a smaller image is shown enlarged, at least to this side
BACKGROUND = 255


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
