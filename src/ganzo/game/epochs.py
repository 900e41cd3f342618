"""Games of third parties that know epochs alone."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ganzo.game import Game
from ganzo.nn import in_step
from ganzo.nn.batch import Batch


class EpochGame(Game):
    """A third party's game that offers `run_epoch(data, noise)` and nothing else: every epoch is one round.

    Args:
        inner: the game; its `state_dict`, where it has one, is kept in checkpoints
    """

    def __init__(self, inner: Any, *parts: Any, **named: Any):
        super().__init__(*parts, **named)
        self.inner = inner

    def rounds(
        self, data: Any, noise: Any, pause: Callable[[], bool] = lambda: False
    ) -> Iterator[dict[str, float]]:
        with in_step.averaging():
            losses = self.inner.run_epoch(SeenData(data, self._seen), noise)
        self.turns += 1
        in_step.level(self.networks().values())
        numbers = {name: torch.tensor(float(value), dtype=torch.double) for name, value in losses.items()}
        yield {name: float(value.mean()) for name, value in in_step.by_rank(numbers).items()}

    def state_dict(self) -> dict[str, Any]:
        inner = self.inner.state_dict() if hasattr(self.inner, "state_dict") else {}
        return super().state_dict() | {"inner": inner}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        if state["inner"]:
            self.inner.load_state_dict(state["inner"])


class SeenData:
    """Data for a game that asks them itself: their batches come as the players see them.

    Args:
        data: the data
        see: from a batch as stored to a batch as the players see it
    """

    def __init__(self, data: Any, see: Callable[[Batch], Batch]):
        self.data, self.see = data, see

    def next(self) -> Batch | None:
        """The next batch, or None at the end of the pass."""
        batch = self.data.next()
        return None if batch is None else self.see(batch if isinstance(batch, Batch) else Batch(*batch))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)
