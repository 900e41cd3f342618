"""Streams of random numbers: every part that draws has its own, so that none disturbs another."""

import hashlib
import random
from typing import Any

import numpy as np
import torch

from ganzo.nn.ranks import everyone, ranks


def stream(seed: int | None, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for a part: the same seed and name give the same numbers; no seed gives fresh ones."""
    generator = torch.Generator(device)
    if seed is None:
        generator.seed()
        return generator
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return generator.manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def seed_everything(seed: int | None) -> None:
    """Seed Python's, NumPy's and torch's own generators, on every device; no seed leaves them as they are."""
    if seed is None:
        return
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def part_ways(seed: int | None, rank: int) -> None:
    """Let torch's own generators draw other numbers on every rank but the first, as dropout must.

    What is drawn for the batch of all ranks comes from generators that stay alike, and so do Python's and NumPy's.
    """
    if rank and seed is not None:
        torch.manual_seed(stream(seed, f"rank {rank}").initial_seed())


def restore_stream(generator: torch.Generator, state: torch.Tensor) -> None:
    """Set a generator's state; one that comes from another kind of device seeds it instead."""
    if state.shape == generator.get_state().shape:
        generator.set_state(state)
    else:
        digest = hashlib.sha256(state.cpu().numpy().tobytes()).digest()
        generator.manual_seed(int.from_bytes(digest[:8], "little") >> 1)


class Stream:
    """A generator as a part with a state: what is drawn from it belongs to the run."""

    def __init__(self, generator: torch.Generator):
        self.generator = generator

    def state_dict(self) -> dict[str, Any]:
        """The position of the stream."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position."""
        restore_stream(self.generator, state["generator"])


def random_state() -> dict[str, Any]:
    """The state of Python's, NumPy's and torch's own generators."""
    kind, keys, *rest = np.random.get_state()  # type: ignore[misc]
    return {
        "python": random.getstate(),
        "numpy": (kind, [int(key) for key in keys], *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def load_random_state(state: dict[str, Any]) -> None:
    """Set the generators back; a number of GPUs that changed leaves theirs alone."""
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def random_states() -> Any:
    """The state of these on every rank, as a list; in a single process just its own."""
    states = everyone(random_state())
    return states if len(states) > 1 else states[0]


def load_random_states(saved: Any, seed: int | None, turns: int) -> str:
    """Set each rank's generators back; one that has no state of its own draws from a fresh stream of torch's numbers.

    Args:
        saved: what `random_states` gave, be it of another number of ranks
        seed: of the run; the fresh streams follow from it
        turns: played so far; the fresh streams follow from them too

    Returns:
        Words about another number of ranks; none where it is the same.
    """
    states, here = saved if isinstance(saved, list) else [saved], ranks()
    load_random_state(states[min(here.rank, len(states) - 1)])
    if here.rank >= len(states):
        torch.manual_seed(stream(seed, f"rank {here.rank} from turn {turns}").initial_seed())
    if len(states) == here.count:
        return ""
    drawn = "; those that join draw from fresh random streams" if len(states) < here.count else ""
    before = f"{len(states)} process{'es' * (len(states) > 1)}"
    return f", where {before} trained it and now {here.count} do{'es' * (here.count == 1)}{drawn}"
