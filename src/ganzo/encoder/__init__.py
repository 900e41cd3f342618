"""Encoders: from stored values to what the players see, and back."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ganzo.registry import Facade, lazily


class Encoder(Facade, ABC):
    """Changes a stored batch into what the players see, and back."""

    namespace: ClassVar[str] = "encoder"

    @abstractmethod
    def encode(self, stored: Tensor) -> Tensor:
        """Stored values to float32 in [-1, 1], on the device."""

    @abstractmethod
    def decode(self, seen: Tensor) -> Tensor:
        """What the players see to stored values."""


__getattr__ = lazily(__name__)  # `from ganzo.encoder import …` finds the classes in this room's files
