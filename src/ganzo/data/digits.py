"""Source `digits`."""

from pathlib import Path
from typing import Literal

import numpy as np

from ganzo.data.kept import PixelSource
from ganzo.registry import register

FILE = Path(__file__).with_name("digits.npz")


@register("dataset", "digits")
class DigitsSource(PixelSource):
    """1,797 handwritten digits of 8×8 grey pixels that come with the package, a fifth of each class held out.

    Data: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
    https://doi.org/10.24432/C50P49, CC BY 4.0; as shipped by scikit-learn.

    Args:
        digits_part: which digits to train on; with `train`, the part `test` is held out
    """

    in_memory = True

    def __init__(self, *, digits_part: Literal["train", "test", "all"] = "train"):
        self.part = digits_part
        with np.load(FILE, allow_pickle=False) as file:
            test = file["test"]
            chosen = np.ones_like(test) if digits_part == "all" else test == (digits_part == "test")
            pixels = file["images"][chosen].astype(np.float32) * (255 / 16)  # from 0..16
            labels = file["labels"][chosen]
        super().__init__(f"digits-{digits_part}", pixels.round().astype(np.uint8), labels, "0123456789")

    def held_out(self) -> "DigitsSource | None":
        return DigitsSource(digits_part="test") if self.part == "train" else None
