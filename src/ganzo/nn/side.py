"""What the side of an image asks of a network, with an error that helps where the two do not fit."""

from ganzo.errors import OptionError

ImageSize = int | str  # a square's side, or `WxH`, in pixels
MOST_LAYERS = 15  # that halve a side: no image is larger than 2 to the power of one more
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


def layers_for(image_size: ImageSize, layers: int | None, who: str, least: int = 8) -> int:
    """How many layers lead from one pixel to an image: the first makes 4×4, each further one doubles the side.

    Of an image that is no square, the first makes 4 pixels of the smaller side, and as many of the larger as it takes.
    """
    height, width = sides(image_size)
    smaller, larger = sorted((height, width))
    good = max(least, 1 << round_down_log2(smaller * 1.5))
    if height == width and good != smaller:
        raise OptionError(
            f"`image_size` must be a power of two, {least} or more, for {who}; got {image_size}. Try {good}."
        )
    if good != smaller or larger % (good // 4):
        better = good // 4 * max(4, round(larger / (good // 4)))
        fits = size_of(good, better) if height <= width else size_of(better, good)
        raise OptionError(
            f"`image_size` must have a power of two, {least} or more, as its smaller side, and a multiple of a quarter"
            f" of that as its larger one, for {who}; got {image_size}. Try {fits}."
        )
    needed = smaller.bit_length() - 2
    if layers is not None and layers != needed:
        raise OptionError(
            f"`layers` must be {needed} for {who} when `image_size` is {image_size}, since each layer doubles or halves"
            f" the side; got {layers}. Try {needed}, or leave it out."
        )
    return needed


def round_down_log2(number: float) -> int:
    """The exponent of the largest power of two that is not above the number."""
    return int(number).bit_length() - 1


def start_of(image_size: ImageSize) -> tuple[int, int]:
    """Height and width from which an image that `layers_for` accepts is doubled: the smaller of them is 4."""
    height, width = sides(image_size)
    unit = min(height, width) // 4
    return height // unit, width // unit


def base_sides(image_size: ImageSize, who: str, factor: int = 16) -> tuple[int, int]:
    """Height and width that remain when an image is made `factor` times smaller."""
    both = sides(image_size)
    good = size_of(*(max(factor, factor * round(side / factor)) for side in both))
    if size_of(*both) != good:
        what = "`image_size` must be" if both[0] == both[1] else "Each side of `image_size` must be"
        raise OptionError(f"{what} a multiple of {factor} for {who}; got {image_size}. Try {good}.")
    return both[0] // factor, both[1] // factor


def check_halvings(image_size: ImageSize, layers: int, who: str) -> None:
    """Refuse an image that cannot be halved `layers` + 1 times, with what can."""
    most = min((side & -side).bit_length() for side in sides(image_size)) - 2
    if layers > MOST_LAYERS:
        raise OptionError(
            f"`layers` must be at most {MOST_LAYERS} for {who}, since each layer halves the sides; got {layers}. Try"
            f" {max(1, most)}."
        )
    try:
        base_sides(image_size, f"{who} when `layers` is {layers}", 2 ** (layers + 1))
    except OptionError as error:
        raise OptionError(f"{error}"[:-1] + (f", or `layers` {most}." if most > 0 else ".")) from None


def channels_per_side(image_size: ImageSize, channels: int, most: int, who: str) -> list[int]:
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
