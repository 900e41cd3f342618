"""Source `digits`."""

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from ganzo.data import Source
from ganzo.registry import register

FILE = Path(__file__).with_name("digits.npz")


@register("dataset", "digits")
class DigitsSource(Source):
    """1,797 handwritten digits of 8×8 grey pixels that come with the package, a fifth of each class held out.

    Data: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
    https://doi.org/10.24432/C50P49, CC BY 4.0; as shipped by scikit-learn.

    Args:
        digits_part: which digits to train on; with `train`, the part `test` is held out
    """

    in_memory = True

    def __init__(self, *, digits_part: Literal["train", "test", "all"] = "train"):
        self.part = digits_part
        self.name = f"digits-{digits_part}"
        self.class_names = tuple("0123456789")
        with np.load(FILE, allow_pickle=False) as file:
            test = file["test"]
            chosen = np.ones_like(test) if digits_part == "all" else test == (digits_part == "test")
            self.values = (
                (file["images"][chosen].astype(np.float32) * (255 / 16)).round().astype(np.uint8)
            )  # from 0..16
            self.labels = file["labels"][chosen].tolist()

    def __len__(self) -> int:
        return len(self.values)

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.values[index])

    def fingerprint(self) -> str:
        return hashlib.sha256(self.values.tobytes() + bytes(self.labels or ())).hexdigest()

    def held_out(self) -> "DigitsSource | None":
        return DigitsSource(digits_part="test") if self.part == "train" else None
