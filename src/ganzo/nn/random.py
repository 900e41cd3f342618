"""Streams of random numbers: every part that draws has its own, so that none disturbs another."""

import hashlib
import random

import numpy as np
import torch


def stream(seed: int | None, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for a part: the same seed and name give the same numbers; no seed gives fresh ones."""
    generator = torch.Generator(device)
    if seed is None:
        generator.seed()
        return generator
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return generator.manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's own generators, on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def restore_stream(generator: torch.Generator, state: torch.Tensor) -> None:
    """Set a generator's state; one that comes from another kind of device seeds it instead."""
    if state.shape == generator.get_state().shape:
        generator.set_state(state)
    else:
        digest = hashlib.sha256(state.cpu().numpy().tobytes()).digest()
        generator.manual_seed(int.from_bytes(digest[:8], "little") >> 1)
