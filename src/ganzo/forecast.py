"""What `--dry-run` says of memory and time: a rough estimate, out of a few turns of throw-away games."""

import time
from argparse import Namespace
from pathlib import Path

import torch

from ganzo import checkpoint
from ganzo.assemble import Parts
from ganzo.errors import GanzoError
from ganzo.free import Free, amount, free_memory
from ganzo.game.epochs import EpochGame
from ganzo.memory import Estimate, estimate, play, traceless
from ganzo.nn.ranks import muted, ranks
from ganzo.nn.say import tell
from ganzo.progress import counted, duration
from ganzo.shortage import largest, usable

TIMED = 2  # turns, after one that warms up
MANY = 1000  # turns that are told of where nobody knows how many an epoch has
ROUGH = "a rough estimate: two turns, before tuning, without metrics and pictures"


def show_forecast(options: Namespace, parts: Parts, before: int) -> None:
    """Print what memory a run takes beside what is free, and how long it takes.

    Args:
        options: of the run
        parts: built from them, to be thrown away
        before: the anonymous memory of the process before they were built
    """
    found, why = None, ""
    tell("playing a few throw-away turns, to estimate memory and time")
    try:
        found = estimate(options, before)
    except Exception as error:  # a third party's parts may raise anything
        why = reason(error)
    free = free_memory(parts.game.device, found.framework if found else None)
    show_memory(found, why, free)
    if found is not None and free is not None and found.total() > usable(free):
        said = f"not tried, as memory lacks; {advice(found, free, options.batch_size)}"
    else:
        said = time_of(options, parts)
    print(f"time         {said}")


def show_memory(found: Estimate | None, why: str, free: Free | None) -> None:
    """Print the memory by what it is for, and what is free."""
    there = "unknown what is free" if free is None else f"{amount(free.bytes)} are free {free.where}"
    if found is None:
        print(f"\nmemory       not known ({why}); {there}")
        return
    batches = f"batches of {found.batch_size}" + " in each process" * (ranks().count > 1)
    print(f"\nmemory       about {amount(found.total())} for {batches}; {there}", flush=True)
    for role, size in found.items().items():
        print(f"  {role:15} {amount(size):>8}")
    if found.framework:
        print(f"  {'framework':15} {amount(found.framework):>8}, not counted above")


def advice(found: Estimate, free: Free, batch_size: int) -> str:
    """What to do where memory lacks."""
    fits = largest(found, free, batch_size)
    if fits is None:
        return "lower `--batch-size`"
    if not fits:
        return "not even the smallest batch fits: lower `--image-size` or the width of the networks"
    return f"about {fits} fit: `--batch-size {fits}`"


def time_of(options: Namespace, parts: Parts) -> str:
    """How long the epochs that are left take, out of two turns."""
    game, data = parts.game, parts.data
    if isinstance(game, EpochGame):
        return f"not known: `{type(game.inner).__name__}` plays whole epochs"
    try:
        with traceless(muted):
            play(game, data, parts.noise)
            images, start = game.images, clock(game.device)
            play(game, data, parts.noise, TIMED)
            seconds = (clock(game.device) - start) / TIMED
    except GanzoError:  # the run would be refused, too
        raise
    except Exception as error:
        return f"not known: a turn fails ({reason(error)})"
    rate = (game.images - images) / TIMED / seconds
    said = f"at {rate:,.0f} images/s, {1000 * seconds:,.0f} ms a turn\n{'':12} {ROUGH}"
    turns = game.turns_in_epoch(getattr(data, "batches", None))
    if turns is None:
        return f"about {duration(MANY * seconds)} for {MANY:,} turns, {said}"
    left = max(0, options.epochs - epochs_played(options))
    rest = left * turns * seconds
    ends = (
        f" (`--max-seconds` ends them after {duration(options.max_seconds)})" if options.max_seconds else ""
    )
    return f"about {duration(rest)} for {counted(left, 'epoch')} of {counted(turns, 'turn')}{ends}, {said}"


def epochs_played(options: Namespace) -> int:
    """The epochs that the newest checkpoint of a restored run has behind it."""
    folders = checkpoint.listed(Path(options.model_dir) / options.experiment / "checkpoints")
    return int(folders[-1].name.partition("-")[0]) if options.restore and folders else 0


def clock(device: torch.device) -> float:
    """The time, when the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def reason(error: Exception) -> str:
    """An error in few words."""
    first = (str(error).splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
