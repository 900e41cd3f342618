"""Snapshots: where samples go."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from ganzo.nn.examples import Examples
from ganzo.nn.grid import grid, translations
from ganzo.nn.pixels import to_float
from ganzo.nn.sampling import device_of, labels_for, sample_images, translate_images
from ganzo.registry import Count, Facade, OptionError, lazily


class Snapshot(Facade, ABC):
    """Draws samples now and then, and keeps them for people to look at.

    Args:
        snapshot_size: images in a snapshot; of a translation, examples
        sample_every: epochs between snapshots
        sample_from_fixed_noise: draw every snapshot from the same noise, so that one can see how it changes
        snapshot_translate: show of each example what was generated, the input and the target (none: where the game
            translates); without it a translation shows what was generated alone
        start_epoch: the number of the first epoch
        translates: whether the game turns images into images
    """

    namespace: ClassVar[str] = "snapshot"

    def __init__(
        self,
        *,
        snapshot_size: Count = 16,
        sample_every: Count = 10,
        sample_from_fixed_noise: bool = False,
        snapshot_translate: bool | None = None,
        start_epoch: int = 1,
        translates: bool = False,
    ):
        if snapshot_translate and not translates:
            raise OptionError(
                "`--snapshot-translate` shows images beside what they are turned into, so it needs a game that"
                " translates; leave it out, or choose `--game translate`."
            )
        self.size = snapshot_size
        self.every = sample_every
        self.fixed = sample_from_fixed_noise
        self.start_epoch = start_epoch
        self.translates = translates
        self.triples = translates if snapshot_translate is None else snapshot_translate
        self.epochs = 0

    @abstractmethod
    def write(self, picture: Tensor, number: int) -> None:
        """Keep one picture (uint8, C×H×W) under the number of its epoch."""

    def write_real(self, picture: Tensor) -> None:
        """Keep one picture (uint8, C×H×W) of real examples; written once, where a class does anything."""

    def save(self, data: Any, noise: Any, generator: nn.Module) -> None:
        """Count an epoch; when a snapshot is due, draw it and write it."""
        self.epochs += 1
        if self.epochs == 1 and (examples := getattr(data, "examples", None)) is not None:
            self.write_real(grid(to_float(examples.image[: self.size], "cpu")))
        if self.epochs % self.every == 0:
            self.take(data, noise, generator, self.start_epoch + self.epochs - 1)

    def finish(self, data: Any, noise: Any, generator: nn.Module) -> None:
        """Write the snapshot of the run's end, where the last epoch has none yet."""
        if self.epochs % self.every or not self.epochs:
            self.take(data, noise, generator, self.start_epoch + max(self.epochs - 1, 0))

    def take(self, data: Any, noise: Any, generator: nn.Module, number: int) -> None:
        """Draw a snapshot now and write it."""
        seed = 0 if self.fixed else number
        draw = self.translated if self.translates else self.drawn
        self.write(draw(data, noise, generator, seed), number)

    def drawn(self, data: Any, noise: Any, generator: nn.Module, seed: int) -> Tensor:
        """A picture drawn from noise: one column for each class where the data have labels."""
        known = getattr(data, "classes", 0)  # a third party's data may not say
        classes = known if getattr(generator, "uses_labels", True) else 0
        labels = labels_for(self.size, classes, device_of(generator))
        images = sample_images(generator, noise, self.size, seed, labels, classes)
        return grid(images, classes or None)

    def translated(self, data: Any, noise: Any, generator: nn.Module, seed: int) -> Tensor:
        """A picture of the first examples, fewer where there are not so many: generated, input, target of each."""
        examples = Examples(data, device_of(generator))
        batch, made = next(translate_images(generator, examples, self.size, seed, around=False))
        assert batch.target is not None, "examples are pairs"
        return translations(made, batch.image, batch.target) if self.triples else grid(made)

    def state_dict(self) -> dict[str, Any]:
        """How many epochs were counted."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.epochs = state["epochs"]

    def close(self) -> None:
        """Let go of files, at the end of the run."""


__getattr__ = lazily(__name__)  # `from ganzo.snapshot import …` finds the classes in this room's files
