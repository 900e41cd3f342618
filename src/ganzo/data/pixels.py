"""From a picture of any kind to stored pixels: upright, one or three colours, square, 8 bits."""

import numpy as np
from PIL import ExifTags, Image, ImageOps

RESIZE = "stretch-bicubic"  # the name of what `pixels` does; another way of resizing gets another name
DRAFT = 3  # a JPEG is decoded at a reduced scale, but no smaller than this many times the wanted side

ORIENTATION = ExifTags.Base.Orientation


def pixels(picture: Image.Image, size: int, colors: int) -> np.ndarray:
    """Decode a picture into uint8 C×size×size; raises what Pillow raises where it is damaged.

    Turned upright by its EXIF orientation; what is transparent lies over black; 16 bits are scaled to 8; of an
    animation the first frame. The square is reached by stretching, with Pillow's bicubic filter (antialiased when
    shrinking, smooth and clamped when enlarging).
    """
    picture.draft(None, (DRAFT * size, DRAFT * size))  # type: ignore[arg-type]  # as Image.thumbnail does
    picture.load()
    plain = flatten(upright(picture)).convert("L" if colors == 1 else "RGB")
    if plain.size != (size, size):
        plain = plain.resize((size, size), Image.Resampling.BICUBIC)
    array = np.asarray(plain)  # H×W, or H×W×3
    return array[None] if colors == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


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
