"""Data: batches of real examples, and the sources that they come from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from PIL import Image

from ganzo.nn.batch import Batch
from ganzo.registry import Facade, Registry, chosen, lazily, parameters, role_of

__all__ = ["Batch", "Data", "Source"]


class Source(Facade, ABC):
    """Where pictures come from: single examples, as they are stored.

    Attributes:
        name: what messages call it
        class_names: the classes, in the order of their numbers; empty where there are no labels
        labels: the class of each picture, or None
        pictures_each: pictures in one example: 1, or 2 for a pair of input and target
    """

    namespace: ClassVar[str] = "dataset"
    name: str
    class_names: Sequence[str] = ()
    labels: Sequence[int] | None = None
    pictures_each: int = 1
    in_memory: bool = False  # whether packing is quick enough to be done anew each time, without a file

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are."""

    @abstractmethod
    def image(self, index: int) -> Image.Image:
        """One picture, of any size and mode; raises OSError or ValueError where it is damaged.

        Several threads ask at once; who asks closes the picture.
        """

    def pictures(self, index: int) -> list[Image.Image]:
        """All pictures of one example, `pictures_each` of them."""
        return [self.image(index)]

    def select(self, wanted: list[str]) -> "Source":
        """The examples of some classes, which are given by name or number; they get new numbers in the old order.

        A source that knows more words than its classes (the name of a split, of a category on disk) reads those itself
        and leaves the rest to this method. Unknown words are an OptionError.
        """
        from ganzo.data.selection import of_classes

        return of_classes(self, wanted)

    @abstractmethod
    def fingerprint(self) -> str:
        """A key of the content: another one where a picture or a label differs."""

    def item_name(self, index: int) -> str:
        """What a message calls one picture."""
        return f"{self.name}[{index}]"

    def held_out(self) -> "Source | None":
        """The part that is kept from training, with the same classes, or None where there is none."""
        return None


class Data(Facade, ABC):
    """Hands out batches of real examples.

    Attributes:
        image_size: side of square images in pixels, or `WxH`
        image_colors: channels of the images, and of the targets of pairs
        input_colors: channels of what a translation starts from; those of the images where a class does not say
        classes: number of classes; 0 where there are no labels
        class_names: their names
        pairs: whether batches hold a target for each image
        batch_size: examples in a batch, that of all ranks together
        batches: batches in one pass, or None where data are endless
        shares: whether `next` hands out this rank's share of a batch by itself; else the share is taken of the whole
    """

    namespace: ClassVar[str] = "data"
    image_size: int | str
    image_colors: int
    input_colors: int
    classes: int = 0
    class_names: Sequence[str] = ()
    pairs: bool = False
    batch_size: int
    batches: int | None = None
    shares: ClassVar[bool] = False

    @abstractmethod
    def next(self) -> Batch | None:
        """The next batch, or None at the end of the pass."""

    @abstractmethod
    def reset(self) -> None:
        """Start the next pass; new data stand at the start of their first."""

    def state_dict(self) -> dict[str, Any]:
        """The position inside the pass, and what the next passes need."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position."""

    def fingerprint(self) -> str | None:
        """A key of the content, for the record of a run."""
        return None

    def held_out(self) -> "Data | None":
        """The part that is kept from training, in a fixed order, or None where there is none."""
        return None

    def reference(self) -> "Data | None":
        """One pass over real examples in a fixed order, for metrics: the part that is held out where there is one."""
        return self.held_out()

    @classmethod
    def from_options(cls, options: Any, *parts: Any, **offered: Any) -> "Data":
        """Build the chosen data; where its constructor names `source`, the chosen source is built for it."""
        item = chosen(options, role_of("data"))[0]
        if any(p.name == "source" for p in parameters(Registry.lookup("data", item.name))):
            offered["source"] = Source.from_options(options)
        return super().from_options(options, *parts, **offered)


__getattr__ = lazily(__name__)  # `from ganzo.data import …` finds the classes in this room's files
