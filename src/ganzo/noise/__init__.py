"""Noise: what the generator starts from."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzo.nn.random import restore_stream, stream
from ganzo.registry import Facade, lazily


class Noise(Facade, ABC):
    """Draws what the generator starts from, from a random stream of its own.

    Args:
        size: numbers per sample
        batch_size: samples per draw when none is asked for
        device: where the noise is drawn
        seed: seed of the stream; none for a fresh one

    Attributes:
        uses_labels: whether draws look at the labels; several ranks then tell each other theirs
    """

    namespace: ClassVar[str] = "noise"
    uses_labels: ClassVar[bool] = True

    def __init__(self, size: int, batch_size: int, device: torch.device | str, seed: int | None):
        self.size = size
        self.batch_size = batch_size
        self.device = torch.device(device)
        self.generator = stream(seed, "noise", self.device)

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator, labels: Tensor | None = None) -> Tensor:
        """Draw n×size numbers on the device from the generator; with labels, noise for these classes."""

    def next(self, n: int | None = None, labels: Tensor | None = None) -> Tensor:
        """The next draw of the noise's own stream, n×size on the device."""
        return self.draw(n or self.batch_size, self.generator, labels)

    def sample(self, n: int, seed: int | None = None, labels: Tensor | None = None) -> Tensor:
        """A draw that leaves the noise's own stream untouched; the same seed gives the same noise."""
        return self.draw(n, stream(seed, "sample", self.device), labels)

    def state_dict(self) -> dict[str, Any]:
        """The position of the stream."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position."""
        restore_stream(self.generator, state["generator"])


__getattr__ = lazily(__name__)  # `from ganzo.noise import …` finds the classes in this room's files
