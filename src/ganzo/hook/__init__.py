"""Hooks: what happens to a player after it moved."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import nn

from ganzo.registry import ROLES, Facade, lazily, side_of


class Hook(Facade, ABC):
    """Does something to a player's network after each of its moves.

    Attributes:
        average: a network that samples should come from instead of the player's own, or None
    """

    namespace: ClassVar[str] = "hook"
    average: nn.Module | None = None

    def attach(self, model: nn.Module) -> None:
        """Get to know the network before its first move or a restore; called by the game as it makes a player."""

    @abstractmethod
    def apply(self, model: nn.Module) -> None:
        """Do it; called after each move, without gradients."""

    def state_dict(self) -> dict[str, Any]:
        """What a restored run needs beside the weights; `average` is stored by the run."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""

    @classmethod
    def for_players(cls, options: Any, *players: str) -> dict[str, list["Hook"]]:
        """The hooks of each player that is named: `{"generator": […], "discriminator": […]}`."""
        return {p: cls.all_from_options(options, ROLES[f"{side_of(p)}_hook"]) for p in players}

    @classmethod
    def from_options(cls, options: Any, *parts: Any, **offered: Any) -> dict[str, list["Hook"]]:
        """The hooks of the two players."""
        return cls.for_players(options, "generator", "discriminator")


__getattr__ = lazily(__name__)  # `from ganzo.hook import …` finds the classes in this room's files
