"""Generators: noise to images."""

from abc import abstractmethod
from argparse import Namespace
from typing import Any, ClassVar

from torch import Tensor, nn

from ganzo.nn.labels import ConcatLabels, NormalizeByLabels, way_of
from ganzo.registry import Facade, OptionError, Registry, chosen, lazily, role_of


class Generator(Facade, nn.Module):
    """Makes images out of noise, or out of other images.

    Shape: noise B×S (or images B×C×H×W where it `translates`) and labels B (int64) to images B×C×H×W in [-1, 1], or a
    list of images, small to large. A generator that does nothing with labels accepts and ignores them.

    Attributes:
        uses_labels: whether labels change what it makes
        translates: whether it starts from images instead of noise
        normalizes: whether it has batch norms, by which labels can enter
        makes_scales: whether it makes a list of images, which asks for a discriminator that judges all of them
    """

    namespace: ClassVar[str] = "generator"
    uses_labels: bool = False
    translates: bool = False
    normalizes: bool = False
    makes_scales: bool = False

    @abstractmethod
    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Make one image for each row of noise."""

    @classmethod
    def from_options(cls, options: Namespace, *parts: Any, **offered: Any) -> Any:
        """Build the chosen generator, and let labels in as the options say."""
        way, classes = way_of("generator", options), getattr(options, "classes", 0)
        if way == "auto":
            return super().from_options(options, *parts, **offered)
        seen = Namespace(**vars(options))
        seen.classes = 0
        chosen_class = Registry.lookup("generator", chosen(options, role_of("generator"))[0].name)
        translates = getattr(chosen_class, "translates", getattr(options, "translates", False))
        if way == "concat" and translates:
            seen.input_colors = getattr(options, "input_colors", options.image_colors) + classes
        elif way == "concat":
            seen.state_size = getattr(options, "state_size", 128) + classes
        network = super().from_options(seen, *parts, **offered)
        if way == "concat":
            return ConcatLabels(network, classes)
        if way == "batch-norm" and not any(isinstance(m, nn.BatchNorm2d) for m in network.modules()):
            classes_of = {name: Registry.lookup("generator", name) for name in Registry.keys("generator")}
            known = [
                name for name, cls in classes_of.items()
                if getattr(cls, "normalizes", False)
                and getattr(cls, "translates", False) == translates
            ]  # fmt: skip
            raise OptionError(
                f"`batch-norm` lets labels into a generator by its batch norms, and `{options.generator}` has none."
                f" Choose `concat`, or one of the generators {', '.join(known)}."
            )
        return NormalizeByLabels(network, classes) if way == "batch-norm" else network


__getattr__ = lazily(__name__)  # `from ganzo.generator import …` finds the classes in this room's files
