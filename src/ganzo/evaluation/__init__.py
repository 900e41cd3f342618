"""Evaluations: has the model improved?"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from ganzo.registry import Facade, lazily


class Evaluation(Facade, ABC):
    """Decides after each epoch whether the model is better than it ever was; then the run keeps it as `best`."""

    namespace: ClassVar[str] = "evaluation"

    @abstractmethod
    def has_improved(self, losses: dict[str, float]) -> bool:
        """Whether the numbers of this epoch are better than all before."""

    def state_dict(self) -> dict[str, Any]:
        """The best number so far."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""


class Record(Evaluation):
    """Keeps the best value of one number. A value that is missing or not finite is no improvement.

    Args:
        key: the name of the number
        higher_is_better: which way it improves
    """

    def __init__(self, key: str, higher_is_better: bool):
        self.key = key
        self.sign = 1.0 if higher_is_better else -1.0
        self.best = -math.inf

    def has_improved(self, losses: dict[str, float]) -> bool:
        value = self.sign * losses.get(self.key, math.nan)
        if not value > self.best or not math.isfinite(value):
            return False
        self.best = value
        return True

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best = state["best"]


__getattr__ = lazily(__name__)  # `from ganzo.evaluation import …` finds the classes in this room's files
