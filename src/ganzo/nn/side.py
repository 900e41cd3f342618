"""What the side of an image asks of a network, with an error that helps where the two do not fit."""

from ganzo.errors import OptionError

ImageSize = int | str  # a square's side, or `WxH`, in pixels
WIDEST = 2**16  # numbers in the widest layer, where layers are many


def sides(image_size: ImageSize) -> tuple[int, int]:
    """Height and width of an image whose size is `64` or `"96x64"` (width first, as people write it)."""
    if isinstance(image_size, int):
        return image_size, image_size
    width, height = image_size.split("x")
    return int(height), int(width)


def size_of(height: int, width: int) -> ImageSize:
    """The size of an image as options write it: `64` for a square, else `"96x64"`."""
    return height if height == width else f"{width}x{height}"


def layers_for(image_size: int, layers: int | None, who: str) -> int:
    """How many layers lead from one pixel to an image: the first makes 4×4, each further one doubles the side."""
    needed = image_size.bit_length() - 2
    if image_size < 8 or image_size & (image_size - 1):
        good = max(8, 1 << round_down_log2(image_size * 1.5))
        raise OptionError(
            f"`image_size` must be a power of two, 8 or more, for {who}; got {image_size}. Try {good}."
        )
    if layers is not None and layers != needed:
        raise OptionError(
            f"`layers` must be {needed} for {who} when `image_size` is {image_size}, since each layer doubles or halves"
            f" the side; got {layers}. Try {needed}, or leave it out."
        )
    return needed


def round_down_log2(number: float) -> int:
    """The exponent of the largest power of two that is not above the number."""
    return int(number).bit_length() - 1


def base_side(image_size: int, who: str, factor: int = 16) -> int:
    """The side that remains when an image is made `factor` times smaller."""
    if image_size % factor or image_size < factor:
        good = max(factor, factor * round(image_size / factor))
        raise OptionError(
            f"`image_size` must be a multiple of {factor} for {who}; got {image_size}. Try {good}."
        )
    return image_size // factor


def channels_per_side(image_size: int, channels: int, most: int, who: str) -> list[int]:
    """Channels at full size, at half of it, … down to 4×4: doubled at each halving, up to `most`."""
    halvings = layers_for(image_size, None, who) - 1
    return [min(most, channels << level) for level in range(halvings + 1)]


def bound_doublings(layers: int, width: int, who: str) -> None:
    """Refuse layers that double a width until no memory holds it; four are always free."""
    most = max(4, (WIDEST // width).bit_length())
    if layers > most:
        raise OptionError(
            f"`layers` must be at most {most} for {who} when `state_size` is {width}, since each layer doubles the"
            f" width; got {layers}. Try {most}."
        )
