"""Out of memory in a turn: one sentence that names the batch size that fits."""

import contextlib
import dataclasses
import gc
import mmap
import traceback
from argparse import Namespace
from collections.abc import Iterator

import torch

from ganzo.errors import MemoryShortage, is_memory
from ganzo.free import Free, address_space, amount, free_memory, held
from ganzo.machine import find_device
from ganzo.memory import Estimate, estimate
from ganzo.nn.ranks import ranks

MARGIN = 0.75  # of the free memory: estimates are off by up to a quarter
SPARE = 64 << 20  # bytes laid aside where addresses are limited, so that there is room to find out what fits
SMALLEST = 2  # images of a process that batch norm can work with


@contextlib.contextmanager
def advising(options: Namespace) -> Iterator[None]:
    """Say which batch size fits, where a turn of the run inside runs out of memory.

    Raises:
        MemoryShortage: with the sentence; where nothing can be found out the error stays what it is
    """
    asked, before = Namespace(**vars(options)), held()  # the run settles some of its options
    spare = mmap.mmap(-1, SPARE if address_space() else 1)  # untouched, it takes nothing but addresses
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_memory(error) or not in_a_turn(error):
            raise
        spare.close()
        traceback.clear_frames(error.__traceback__)  # the parts that failed live in there
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        sentence = advice(asked, reason, before)
        if sentence is None:
            raise
        raise MemoryShortage(sentence) from None
    finally:
        spare.close()


def in_a_turn(error: BaseException) -> bool:
    """Whether an error was raised while a game was played, rather than in metrics, pictures or files."""
    return any(frame.f_code.co_name == "rounds" for frame, _ in traceback.walk_tb(error.__traceback__))


def advice(options: Namespace, reason: str, before: int) -> str | None:
    """The sentence, or None where nothing can be found out.

    Args:
        options: of the run that failed, whose parts are gone
        reason: what was said when memory ran out
        before: the anonymous memory of the process before the run began
    """
    device = find_device(options.device)
    release(device)
    try:
        found = estimate(options, before)
    except Exception:  # memory again, or a third party's part that wants larger batches
        return None
    release(device)
    free = free_memory(device, found.framework)
    if free is not None and free.refuses and device.type == "cpu":
        # the next run will lay it aside again
        free = dataclasses.replace(free, bytes=max(0, free.bytes - SPARE))
    if free is None or found.batch_size != options.batch_size // ranks().count:  # or the data decide
        return None
    fits = largest(found, free, options.batch_size)
    if fits is None:
        return None
    return sentence(
        options, reason, fits, f"{amount(found.total())} are needed, {amount(free.bytes)} are free"
    )


def largest(found: Estimate, free: Free, batch_size: int) -> int | None:
    """The largest batch of all processes together that should fit, 0 for none, and None where that is not known.

    It is smaller than a batch that did not fit.
    """
    fits = found.fitting(MARGIN * usable(free))
    return None if fits is None else rounded(min(fits * ranks().count, 3 * batch_size // 4))


def usable(free: Free) -> float:
    """The free bytes that one process may take, where those of one machine share them."""
    return free.bytes / (1 if free.refuses else ranks().local_count)


def rounded(batch_size: int) -> int:
    """A batch size that divides well among the processes, no larger than the given one; 0 for too small a one."""
    step = SMALLEST * ranks().count
    step = next((many * step for many in (8, 4, 2) if batch_size >= 8 * many * step), step)
    return batch_size // step * step


def release(device: torch.device) -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def sentence(options: Namespace, reason: str, fits: int, measure: str) -> str:
    """What failed, what fits, and what to do.

    Args:
        options: of the run that failed
        reason: what was said when memory ran out
        fits: the batch size that fits; 0 for none
        measure: how much is needed, and how much is free
    """
    said = f"There is not enough memory for batches of {options.batch_size} ({reason})"
    if not fits:
        return (
            f"{said}, nor for the smallest ones: {measure}. Lower `--image-size` or the width of the networks, or"
            " give it another device."
        )
    if options.restore:
        return (
            f"{said}: about {fits} fit, but a restored run keeps its batch size. Give it a device or machine with more"
            f" free memory ({measure}), or start another experiment with `--batch-size {fits}`."
        )
    return f"{said}: about {fits} fit. Use `--batch-size {fits}`{accumulated(options, fits)}."


def accumulated(options: Namespace, fits: int) -> str:
    """How gradients of several batches make up for their size, where the run can sum them."""
    whole, count = options.batch_size, ranks().count
    part = next((n for n in range(fits, 0, -1) if whole % n == 0 and n % count == 0), 0)
    if not hasattr(options, "accumulate") or part < max(SMALLEST * count, fits // 2):
        return ""
    times = options.accumulate * whole // part
    return (
        f"; `--batch-size {part} --accumulate {times}` moves by {options.accumulate * whole} images as before"
    )
