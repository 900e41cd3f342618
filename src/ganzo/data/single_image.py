"""Data `single-image`."""

from ganzo.data.packed import PackedData
from ganzo.registry import register


@register("data", "single-image", default=True)
class SingleImageData(PackedData):
    """One picture per example, with its class where the source knows classes.

    The pictures are decoded once, into a packed store of 8-bit pixels that the next run finds again.

    Shape: image uint8 B×C×H×W in 0 to 255, label int64 B.
    """
