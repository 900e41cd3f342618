"""How much memory training takes: watched on two turns of throw-away games with a few images, told for any batch."""

import contextlib
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch

from ganzo.assemble import Parts, assemble
from ganzo.errors import GanzoError
from ganzo.free import held
from ganzo.game.epochs import EpochGame
from ganzo.ledger import LASTING, PASSING, Course, Ledger
from ganzo.machine import find_device
from ganzo.nn.random import load_random_state, random_state
from ganzo.nn.ranks import alone, ranks

FEW = 8  # batches in the short epoch of a game that knows epochs alone
LATE = 100 << 20  # bytes that torch takes when parts are first built and played, as it loads more of itself
ROLES = (*LASTING[:2], "gradients", *LASTING[2:], *PASSING, "allocator", "exchange", "tuning")


class Estimate:
    """The memory that one process of a run takes on its device, for batches of any size.

    Args:
        course: the memory of a turn
        batch_size: images of a batch that fall to one process
        framework: bytes that the process takes before any part is built; 0 where that is not known
        twice: whether tuning holds a second game while it lasts
        exchanged: whether gradients travel between processes
    """

    def __init__(
        self,
        course: Course,
        batch_size: int,
        framework: int = 0,
        twice: bool = False,
        exchanged: bool = False,
    ):
        self.course, self.batch_size, self.framework = course, batch_size, framework
        self.twice, self.exchanged = twice, exchanged

    def items(self, batch_size: int | None = None) -> dict[str, int]:
        """The bytes at the peak by what they are for, without those of the framework."""
        found = self.course.peak(self.batch_size if batch_size is None else batch_size)
        kept = sum(found.get(role, 0.0) for role in (*LASTING[:3], "gradients"))
        found["exchange"] = 2 * found.get("gradients", 0.0) if self.exchanged else 0.0
        found["tuning"] = kept if self.twice else 0.0
        return {role: int(found[role]) for role in ROLES if found.get(role, 0) >= 1}

    def total(self, batch_size: int | None = None) -> int:
        """All bytes at the peak, without those of the framework."""
        return sum(self.items(batch_size).values())

    def fitting(self, free: float, step: int = 1) -> int | None:
        """The largest batch, a multiple of `step`, that so many bytes hold; None where batches have one size."""
        if not self.course.comparable:
            return None
        low, high = 0, 1  # in steps
        while self.total(high * step) <= free and high < 2**24:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.total(middle * step) <= free else (low, middle)
        return low * step


def estimate(options: Namespace, before: int | None = None) -> Estimate:
    """Play turns of throw-away games with a few images, and tell the memory of a run; it leaves no trace.

    Args:
        options: of the run
        before: the anonymous memory of the process before the run began, where that run has already taken some
    """
    count = ranks().count
    options = Namespace(**vars(options) | {"device": str(find_device(options.device))})  # this process's own
    share = max(1, options.batch_size // count)
    ledgers: dict[int, Ledger] = {}
    framework, began, limit = None, 0, held() if before is None else before + LATE
    for asked in (min(2, share), min(4, share) if share > 2 else share + 1):
        with traceless():
            try:
                ledger, moment, size, resting = watched(options, asked)
            except GanzoError:
                if not ledgers:
                    raise
                break  # the data have no more examples: one ledger tells of their batch
        if not ledgers or size > max(ledgers):
            began = moment
        ledgers[size] = ledger
        framework = resting if framework is None else framework
        if size != asked:  # the data decide
            share = size
    twice = options.tune and options.channels_last is None
    return Estimate(Course(ledgers, began), share, min(framework or 0, limit), twice, count > 1)


def watched(options: Namespace, batch_size: int) -> tuple[Ledger, int, int, int]:
    """Play two turns of a throw-away game.

    Returns its ledger, the moment when the second turn began, the size of the batches, and the framework's memory.
    """
    trial = throw_away(options, batch_size=batch_size)
    ledger = Ledger(find_device(options.device).type)
    with ledger:
        parts = assemble(trial)
        mark(ledger, parts)
        resting = max(0, held() - ledger.living) if ledger.device == "cpu" else 0
        play(parts.game, parts.data, parts.noise)  # takes gradients, and what the optimizers keep
        mark(ledger, parts)
        began = ledger.moment + 1
        parts.game.turns = 0  # penalties that are not asked for in each turn are due again
        play(parts.game, parts.data, parts.noise)
        mark(ledger, parts)
    return ledger, began, parts.data.batch_size, resting


def mark(ledger: Ledger, parts: Parts) -> None:
    """Tell the ledger what the game holds."""
    game, moved = parts.game, ledger.device != "cpu"  # on the CPU the examples are mapped from a file
    for name, network in game.networks().items():
        role = "moving averages" if name.endswith("-average") else "weights"
        ledger.mark(role, [*network.parameters(), *network.buffers()])
    for player in game.players.values():
        weights = list(player.network.parameters())
        ledger.mark("optimizer", list(getattr(player.optimizer, "state", {}).values()))
        ledger.mark("gradients", [weight.grad for weight in weights if weight.grad is not None])
    ledger.mark("data", getattr(parts.data, "__dict__", {}), new=moved)


def play(game: Any, data: Any, noise: Any, turns: int = 1) -> None:
    """Play some turns; of a game that knows epochs alone, so many short epochs."""
    data = ShortPasses(data) if isinstance(game, EpochGame) else data
    for _ in range(turns):
        before = game.turns
        for _ in range(3):  # a pass may have ended just before
            for _ in game.rounds(data, noise, pause=lambda: True):
                break
            if game.turns != before:
                break


def throw_away(options: Namespace, **changed: Any) -> Namespace:
    """A copy of options for a game that is thrown away: without what takes time and no memory."""
    moves = min(2, options.generator_iterations)
    spared = {"generator_iterations": moves, "compile": False, "cuda_graphs": False}
    return Namespace(**vars(options) | spared | changed)


@contextlib.contextmanager
def traceless(quiet: Callable[[], AbstractContextManager] = alone) -> Iterator[None]:
    """Whatever is built and played inside leaves random numbers and threads as they were.

    Args:
        quiet: how the processes of a run are kept from waiting for each other
    """
    random, threads = random_state(), torch.get_num_threads()
    try:
        with quiet():
            yield
    finally:
        load_random_state(random)
        torch.set_num_threads(threads)


class ShortPasses:
    """Data whose passes end after a few batches.

    Args:
        data: the data
        batches: batches in a pass
    """

    def __init__(self, data: Any, batches: int = FEW):
        self.data, self.batches, self.left = data, batches, batches

    def next(self) -> Any:
        """The next batch, or None at the end of the short pass."""
        self.left -= 1
        return self.data.next() if self.left >= 0 else None

    def reset(self) -> None:
        """Start the next pass."""
        self.left = self.batches
        self.data.reset()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)
