"""From a picture of any kind to stored pixels: upright, one or three colours, one size, 8 bits."""

from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ganzo.nn.side import sides

FILTER = Image.Resampling.BICUBIC  # antialiased when it shrinks, smooth and clamped when it enlarges
DRAFT = 3  # a JPEG is decoded at a reduced scale, but no smaller than this many times the wanted side

ORIENTATION = ExifTags.Base.Orientation

Resize = Literal["stretch", "crop", "pad"]


def pixels(picture: Image.Image, size: int | str, colors: int, resize: Resize = "stretch") -> np.ndarray:
    """Decode a picture into uint8 C×H×W; raises what Pillow raises where it is damaged.

    Turned upright by its EXIF orientation; what is transparent lies over black; 16 bits are scaled to 8; of an
    animation the first frame.
    """
    height, width = sides(size)
    reach = DRAFT * max(height, width)  # both ways, since the picture may have to be turned
    picture.draft(None, (reach, reach))  # type: ignore[arg-type]  # as Image.thumbnail does
    picture.load()
    plain = flatten(upright(picture)).convert("L" if colors == 1 else "RGB")
    if plain.size != (width, height):
        plain = resized(plain, width, height, resize)
    array = np.asarray(plain)  # H×W, or H×W×3
    return array[None] if colors == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def resized(picture: Image.Image, width: int, height: int, resize: Resize) -> Image.Image:
    """Bring a picture to a size: stretched, its middle so that it covers, or the whole of it centred over black."""
    if resize == "stretch":
        return picture.resize((width, height), FILTER)
    across, down = width / picture.width, height / picture.height
    if resize == "crop":
        scale = max(across, down)
        spare_x = max(0.0, picture.width - width / scale)  # rounding must not lead outside
        spare_y = max(0.0, picture.height - height / scale)
        box = (spare_x / 2, spare_y / 2, picture.width - spare_x / 2, picture.height - spare_y / 2)
        return picture.resize((width, height), FILTER, box)
    scale = min(across, down)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    whole = Image.new(picture.mode, (width, height))
    whole.paste(picture.resize(inner, FILTER), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return whole


def upright(picture: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF orientation says; a damaged note is no note."""
    try:
        turned = picture.getexif().get(ORIENTATION, 1) != 1
        return ImageOps.exif_transpose(picture) if turned else picture
    except Exception:  # the parser of foreign bytes; the pixels themselves are sound, they are loaded
        return picture


def flatten(picture: Image.Image) -> Image.Image:
    """A picture without transparency and with 8 bits per colour."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels have no agreed range; store it with 8 or 16 bits")
    if picture.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip instead of scale
        values = np.asarray(picture).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture
    colored = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", colored.size, "black"), colored)
