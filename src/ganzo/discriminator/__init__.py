"""Discriminators: images to logits."""

from abc import abstractmethod
from argparse import Namespace
from typing import Any, ClassVar

from torch import Tensor, nn

from ganzo.nn.critic import Critic, Verdict
from ganzo.nn.labels import ConcatLabels, way_of
from ganzo.registry import Facade, OptionError, Registry, chosen, lazily, parameters, role_of

__all__ = ["Critic", "Discriminator", "Verdict"]


class Discriminator(Facade, nn.Module):
    """Judges images: the higher the logit, the more real. No sigmoid inside; the loss owns it.

    Shape: images B×C×H×W in [-1, 1] and labels B (int64) to logits B×1 or B×1×h×w, or to a `Verdict`. In a translation
    the images are pairs: the channels of the input, then those of the output.

    Attributes:
        uses_labels: whether labels change its judgement
        scales: height and width of the images that it judges at once, small to large; none where it judges one
    """

    namespace: ClassVar[str] = "discriminator"
    uses_labels: bool = False
    scales: list[tuple[int, int]] | None = None

    @abstractmethod
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        """Judge a batch of images."""

    @classmethod
    def from_options(cls, options: Namespace, *parts: Any, **offered: Any) -> Any:
        """Build the chosen discriminator for what the game shows it, and let labels in as the options say."""
        way, classes = way_of("discriminator", options), getattr(options, "classes", 0)
        seen = Namespace(**vars(options))
        if getattr(options, "translates", False):
            seen.image_colors = options.image_colors + options.input_colors
        if way in ("projection", "auxiliary"):
            cls._check_head(options, way)
            seen.head = way
        if way in ("none", "concat"):
            seen.classes = 0
        if way == "concat":
            seen.image_colors += classes
        network = super().from_options(seen, *parts, **offered)
        cls._check_scales(options, network)
        return ConcatLabels(network, classes) if way == "concat" else network

    @classmethod
    def _check_scales(cls, options: Namespace, network: Any) -> None:
        """Refuse a network that says it judges one size where the generator makes several."""
        for item in chosen(options, role_of("generator")) if getattr(network, "scales", ()) is None else ():
            if getattr(Registry.lookup("generator", item.name), "makes_scales", False):
                raise OptionError(
                    f"The generator `{item.name}` makes images in several sizes, and the discriminator"
                    f" `{chosen(options, role_of('discriminator'))[0].name}` judges one; choose `--discriminator msg`,"
                    " or another generator."
                )

    @classmethod
    def _check_head(cls, options: Namespace, way: str) -> None:
        """Refuse a network whose last layer cannot be chosen."""
        able = [
            name for name in Registry.keys("discriminator")
            if any(p.name == "head" for p in parameters(Registry.lookup("discriminator", name)))
        ]  # fmt: skip
        name = chosen(options, role_of("discriminator"))[0].name
        if name not in able and not any(
            p.name == "head" for p in parameters(Registry.lookup("discriminator", name))
        ):
            raise OptionError(
                f"`{way}` needs a discriminator whose last layer reads labels; `{name}` has none. Choose `concat`, or"
                f" one of the discriminators {', '.join(able)}."
            )


__getattr__ = lazily(__name__)  # `from ganzo.discriminator import …` finds the classes in this room's files
