"""Statistics: where numbers go."""

import importlib
import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from ganzo.nn.record import is_beside
from ganzo.registry import Facade, OptionError, lazily


class Statistics(Facade, ABC):
    """Writes the numbers of each epoch somewhere. Several may be chosen at once."""

    namespace: ClassVar[str] = "statistics"

    def begin(self, config: dict[str, Any]) -> None:
        """Open the record, once the run's folder is cleared or its state restored; `config` holds every option."""

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


def optional(module: str, title: str, extra: str) -> Any:
    """Import the package of a tracker, which may be missing.

    Raises:
        OptionError: where it is
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise OptionError(
            f'`--log {extra}` needs {title}, which cannot be imported ({error}); run `pip install "ganzo[{extra}]"`.'
        ) from error


def measured(losses: dict[str, float]) -> dict[str, float]:
    """What a tracker gets of an epoch: every number that is one, but for the epoch, which is the step."""
    return {name: value for name, value in losses.items() if name != "epoch" and math.isfinite(value)}


__getattr__ = lazily(__name__)  # `from ganzo.statistics import …` finds the classes in this room's files
