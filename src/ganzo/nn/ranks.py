"""What the processes of one run say to each other: plain `torch.distributed`, in few words.

The batch is that of all ranks together: what is drawn for it (order, noise, points of penalties) is drawn whole by
every rank, from the same stream, and each takes its share. Gradients are averaged after each backward in one flat
exchange; no wrapper is involved, so that penalties with a backward of their own are right too. In a single process
everything here does nothing.
"""

import contextlib
import dataclasses
import datetime
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as differentiable
from torch import Tensor

from ganzo.errors import Followed, Parted, RunError, is_memory
from ganzo.launch import Ranks, announced, meeting_place

PATIENCE = datetime.timedelta(minutes=30)  # that ranks wait for one that is busy, as when it packs data
STALLED = datetime.timedelta(minutes=10)  # that they wait for one to appear, or to come as far in a turn

SIGNS = ("gloo", "nccl", "closed by peer", "reset by peer", "broken pipe")  # of exchanges that failed

T = TypeVar("T")
_ranks = Ranks()
_words: Any = None  # the group in which they talk, always by the processor, and may wait long
_store: Any = None  # where they met


def ranks() -> Ranks:
    """Which of the processes of the run this one is."""
    return _ranks


def join() -> Ranks:
    """Meet the other processes that the launcher announced; without any nothing happens.

    Raises:
        RunError: where they do not come, or not to the same place, or where a program has joined them by itself
    """
    global _ranks, _words, _store
    told = announced()
    if told.count > 1 and _ranks.count == 1:
        if dist.is_initialized():
            raise RunError(
                "The processes of a run meet by `ganzo.nn.ranks.join()`, and here a process group is there already;"
                " leave `init_process_group` out, or call `destroy_process_group` before."
            )
        place = meeting_place()
        os.environ.update(place)
        nccl = torch.cuda.is_available() and dist.is_nccl_available()
        backend = "cpu:gloo,cuda:nccl" if nccl else "gloo"
        try:
            _store, *_ = next(iter(dist.rendezvous("env://", told.rank, told.count, timeout=STALLED)))
            dist.init_process_group(
                backend, store=_store, rank=told.rank, world_size=told.count, timeout=STALLED
            )
            _words = dist.new_group(backend="gloo", timeout=PATIENCE)
        except (RuntimeError, ConnectionError, ValueError) as error:
            where = f"{place['MASTER_ADDR']}:{place['MASTER_PORT']}"
            raise RunError(
                f"The {told.count} processes of this run must meet at {where}, and {told} met nobody there"
                f" ({str(error).splitlines()[0][:200]}); see that all were started, and set MASTER_ADDR and"
                " MASTER_PORT to a place that is free and that all can reach."
            ) from error
        _ranks = told
    return _ranks


def leave() -> None:
    """Part from the others."""
    global _ranks, _words, _store
    _words = _store = None
    if dist.is_initialized():
        dist.destroy_process_group()
    _ranks = Ranks()


def store() -> Any:
    """Where the ranks met, and can leave each other a note: a `torch.distributed.Store`; None in a single process."""
    return _store


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """For what every rank does by itself and whole, as drawing samples: no share is taken, nothing is exchanged."""
    with _as(Ranks()):
        yield


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """For throw-away turns, of which every rank may play another number: shares are taken, nothing is exchanged."""
    with _as(dataclasses.replace(_ranks, talks=False)):
        yield


@contextlib.contextmanager
def _as(other: Ranks) -> Iterator[None]:
    global _ranks
    before, _ranks = _ranks, other
    try:
        yield
    finally:
        _ranks = before


def talk(among_others: bool = False) -> contextlib.AbstractContextManager[None]:
    """Say in one sentence that another process is gone.

    Args:
        among_others: whether other things happen inside too, as in a backward through statistics of all ranks

    Raises:
        Parted: where an exchange fails
    """
    return _heard(among_others) if talking() else contextlib.nullcontext()


@contextlib.contextmanager
def _heard(among_others: bool) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ConnectionError) as error:  # torch has no class of its own for it in every backend
        told = str(error).lower()
        if is_memory(error) or (among_others and not any(sign in told for sign in SIGNS)):
            raise
        raise Parted(
            f"Another process of this run has ended or cannot be reached, so {_ranks} ends too; what was saved is"
            f" untouched: go on with `--restore` ({str(error).splitlines()[0][:200]})."
        ) from error


def talking() -> bool:
    """Whether there is anyone to exchange anything with."""
    return _ranks.count > 1 and _ranks.talks


def share(n: int) -> slice:
    """The rows of a whole batch of n that are this rank's."""
    each, rank = (n // _ranks.count, _ranks.rank) if _ranks.slices else (n, 0)
    return slice(rank * each, (rank + 1) * each)


def whole(n: int) -> int:
    """The rows of the whole batch, where each rank has n of them."""
    return n * _ranks.count if _ranks.slices else n


def portion(n: int) -> Tensor:
    """Which of n rows this rank looks at; as many on each rank, so that the last row may be looked at several times.

    What `gathered` makes of such portions begins with all n rows in order.
    """
    each = -(-n // _ranks.count)
    return torch.arange(_ranks.rank * each, (_ranks.rank + 1) * each).clamp(max=n - 1)


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Average the gradients of all ranks, in one flat exchange."""
    if not talking():
        return
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    average(gradients)


@torch.no_grad()
def average(tensors: list[Tensor]) -> None:
    """Average tensors of one device over the ranks, in place; in float32 where they are less precise."""
    if not talking() or not tensors:
        return
    wide = [torch.promote_types(tensor.dtype, torch.float32) for tensor in tensors]
    flat = torch.cat([tensor.reshape(-1).to(dtype) for tensor, dtype in zip(tensors, wide, strict=True)])
    with talk():
        dist.all_reduce(flat)
    pieces = flat.div_(_ranks.count).split([tensor.numel() for tensor in tensors])
    torch._foreach_copy_(tensors, [p.view(t.shape) for p, t in zip(pieces, tensors, strict=True)])


def mean(value: Tensor) -> Tensor:
    """The mean of a tensor over the ranks, through which gradients flow to all of them."""
    return summed(value) / _ranks.count if talking() else value


def summed(value: Tensor) -> Tensor:
    """The sum of a tensor over the ranks, through which gradients flow to all of them, also a second time."""
    if not talking():
        return value
    with talk(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # its successor is private, and not in torch 2.6
        return differentiable.all_reduce(value)


def gathered(rows: Tensor) -> Tensor:
    """The rows of all ranks, as many from each, in the order of the ranks; without gradients.

    While nothing is exchanged, this rank's own stand for those of the others.
    """
    if not talking():
        return rows if whole(1) == 1 else torch.cat([rows] * whole(1))
    parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(_ranks.count)]
    with talk():
        dist.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


def most(value: float) -> float:
    """The largest of a number over the ranks: what any of them asks for."""
    if not talking():
        return value
    told = torch.tensor(float(value), dtype=torch.double)
    with talk():
        dist.all_reduce(told, dist.ReduceOp.MAX, group=_words)
    return told.item()


def shared(value: T) -> T:
    """What rank 0 has, for all ranks."""
    if not talking():
        return value
    held = [value]
    with talk():
        dist.broadcast_object_list(held, group=_words)
    return held[0]


def everyone(value: T) -> list[T]:
    """What each rank has, in the order of the ranks."""
    if not talking():
        return [value]
    held: list[Any] = [None] * _ranks.count
    with talk():
        dist.all_gather_object(held, value, group=_words)
    return held


def led(function: Callable[[], T]) -> T:
    """What rank 0 gets from a function that it alone calls, for all ranks.

    Raises:
        Followed: on the other ranks, where it fails on rank 0
    """
    if not talking():
        return function()
    answer, error = None, None
    if _ranks.leads:
        try:
            answer = function()
        except Exception as raised:
            error = raised
    answer, failed = shared((answer, error is not None))
    if error is not None:
        raise error
    if failed:
        raise Followed("rank 0 says why")
    return answer  # type: ignore[return-value]


def writers(make: Callable[[], list[T]]) -> list[T]:
    """Parts that write something: on rank 0 those that a function makes, on the others none."""
    made: list[T] = []
    led(lambda: made.extend(make()))
    return made


@contextlib.contextmanager
def in_turn() -> Iterator[None]:
    """One process of each machine goes first, the others find what it left on the disk.

    Raises:
        Followed: where it failed on a machine, on those that did not
    """
    if not talking():
        yield
        return
    follows = _ranks.local_rank > 0
    if follows and most(0):
        raise Followed("the first process of a machine says why")
    try:
        yield
    except Exception:
        if not follows:
            most(1)
        raise
    if not follows and most(0):
        raise Followed("the first process of another machine says why")
