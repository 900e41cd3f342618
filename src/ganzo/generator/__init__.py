"""Generators: noise to images."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from ganzo.registry import Facade, lazily


class Generator(Facade, nn.Module):
    """Makes images out of noise.

    Shape: noise B×S and labels B (int64) to images B×C×H×W in [-1, 1], or a list of images, small to large. A generator
    that does nothing with labels accepts and ignores them; `conditional` says whether it uses them.
    """

    namespace: ClassVar[str] = "generator"
    conditional: bool = False

    @abstractmethod
    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Make one image for each row of noise."""


__getattr__ = lazily(__name__)  # `from ganzo.generator import …` finds the classes in this room's files
