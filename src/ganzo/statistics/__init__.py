"""Statistics: where numbers go."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from ganzo.nn.record import is_beside
from ganzo.registry import Facade, lazily


class Statistics(Facade, ABC):
    """Writes the numbers of each epoch somewhere. Several may be chosen at once."""

    namespace: ClassVar[str] = "statistics"

    @abstractmethod
    def log(self, losses: dict[str, float]) -> None:
        """Write the numbers of one epoch: `epoch`, the losses, scores, `seconds`, `images_per_second`."""

    def state_dict(self) -> dict[str, Any]:
        """What was written so far, so that a restored run does not write it twice."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""

    def close(self) -> None:
        """Let go of files, at the end of the run."""


def lines_of(losses: dict[str, float]) -> list[str]:
    """The numbers of an epoch as text: a header with epoch and time, then one line for each loss and score."""
    numbers = {name: value for name, value in losses.items() if not is_beside(name)}
    head = f"epoch {losses.get('epoch', 0):.0f}"
    if "seconds" in losses:
        head += f"  {losses['seconds']:.2f} s  {losses.get('images_per_second', 0):,.0f} images/s"
    return [head, *(f"  {name}: {value:.5g}" for name, value in numbers.items())]


__getattr__ = lazily(__name__)  # `from ganzo.statistics import …` finds the classes in this room's files
