"""What keeps the ranks of a game in step, beside the gradients of its players."""

import contextlib
from collections.abc import Iterable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from ganzo.nn import ranks


def weights_of(optimizer: Optimizer) -> Iterator[Tensor]:
    """What an optimizer moves."""
    return (weight for group in optimizer.param_groups for weight in group["params"])


@contextlib.contextmanager
def averaging() -> Iterator[None]:
    """Average gradients before each step of any optimizer, for a game that moves weights by itself."""
    if not ranks.talking():
        yield
        return
    handle = register_optimizer_step_pre_hook(lambda moved, *_: ranks.average_gradients(weights_of(moved)))
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def begin(networks: Iterable[nn.Module]) -> None:
    """Give all ranks the weights and buffers of rank 0."""
    if not ranks.talking():
        return
    with ranks.talk():
        for network in networks:
            for tensor in (*network.parameters(), *network.buffers()):
                whole = tensor.detach().contiguous()
                dist.broadcast(whole, 0)
                tensor.copy_(whole)


@torch.no_grad()
def level(networks: Iterable[nn.Module]) -> None:
    """Give all ranks the running statistics of rank 0, which are the buffers that hold fractions, in one exchange."""
    if not ranks.talking():
        return
    buffers = [b for network in networks for b in network.buffers() if b.is_floating_point()]
    if not buffers:
        return
    flat = torch.cat([buffer.reshape(-1).double() for buffer in buffers])
    with ranks.talk():
        dist.broadcast(flat, 0)
    pieces = flat.split([buffer.numel() for buffer in buffers])
    torch._foreach_copy_(buffers, [p.view(b.shape) for p, b in zip(pieces, buffers, strict=True)])


def by_rank(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scalars of every rank by name, one number per rank, in one exchange; in one process the scalars themselves."""
    if not ranks.talking() or not values:
        return values
    every = ranks.gathered(torch.stack([value.detach() for value in values.values()])[None])  # ranks×names
    return dict(zip(values, every.unbind(1), strict=True))


def own(value: Tensor) -> Tensor:
    """This rank's of the numbers of every rank; where there were more or fewer ranks, or one alone, their mean."""
    return value[ranks.ranks().rank].clone() if value.shape == (ranks.ranks().count,) else value.mean()
