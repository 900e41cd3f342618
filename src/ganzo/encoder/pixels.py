"""Encoder `pixels`."""

import torch
from torch import Tensor

from ganzo.encoder import Encoder
from ganzo.nn.pixels import to_float, to_stored
from ganzo.registry import register


@register("encoder", "pixels", default=True)
class PixelEncoder(Encoder):
    """Scales pixels: stored 0 … 255 is seen as -1 … 1; what is float already passes through.

    Args:
        device: where the players live

    Shape: B×C×H×W uint8 to B×C×H×W float32 in [-1, 1], and back.
    """

    def __init__(self, *, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    def encode(self, stored: Tensor) -> Tensor:
        return to_float(stored, self.device)

    def decode(self, seen: Tensor) -> Tensor:
        return to_stored(seen)
