"""What memory tensors take while a game is played, moment by moment, and what other batches would take."""

import dataclasses
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

HEAP_BELOW = 32 << 20  # bytes: larger blocks are mapped by themselves, and cost what they hold
# what smaller ones cost in a heap full of holes: `benchmarks.memory`
HEAP = {
    "cpu": 1.7,
    "cuda": 1.15,
}
# taken once: these leave no holes
LASTING = (
    "weights",
    "moving averages",
    "optimizer",
    "data",
    "other parts",
)
PASSING = ("activations", "buffers")  # of one turn


@dataclasses.dataclass
class Block:
    """A piece of memory.

    Args:
        size: its bytes
        born: the moment when it was taken
        kept: whether gradients were recorded then, which is why most blocks outlive their operation
        died: the moment when it was given back; none while it lives
        role: what it is for, where that is known
    """

    size: int
    born: int
    kept: bool
    died: int | None = None
    role: str = ""


class Ledger(TorchDispatchMode):
    """Notes every block that operations take on a device while it is entered; each operation is a moment.

    What operations need inside themselves is not seen, nor are tensors that were there before, unless they are marked.

    Args:
        device: kind of the device, cpu or cuda
    """

    def __init__(self, device: str):
        super().__init__()
        self.device = device
        self.blocks: list[Block] = []
        self.moment = 0
        self._living: dict[int, int] = {}  # address -> place among the blocks

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.moment += 1
        made = function(*args, **kwargs)
        given = {address for address, _ in storages((args, kwargs), self.device)}
        for address, storage in storages(made, self.device):
            if address not in given:  # else it is a view, or was written in place
                self._note(address, storage)
        return made

    def mark(self, role: str, values: Any, new: bool = True) -> None:
        """Say what tensors are for; those that are not known yet are noted, or left alone where none is `new`."""
        for address, storage in storages(values, self.device):
            if new or address in self._living:
                self.blocks[self._note(address, storage)].role = role

    @property
    def living(self) -> int:
        """The bytes of all blocks that live now."""
        return sum(self.blocks[place].size for place in self._living.values())

    def _note(self, address: int, storage: Any) -> int:
        if address not in self._living:
            place = self._living[address] = len(self.blocks)
            self.blocks.append(Block(storage.nbytes(), self.moment, torch.is_grad_enabled()))
            weakref.finalize(storage, self._gone, address, place).atexit = False
        return self._living[address]

    def _gone(self, address: int, place: int) -> None:
        self.blocks[place].died = self.moment
        if self._living.get(address) == place:
            del self._living[address]


class Course:
    """The memory of one turn at any batch size, out of the ledgers of two small ones.

    Both turns take the same blocks in the same order; the size of each is a straight line over the batch size. Which
    moment is the peak may differ from one batch size to another, so a line through two peaks would be wrong.

    Args:
        ledgers: by batch size; where there is one alone, or both differ in their blocks, all that lasts no longer than
            a turn is taken to grow with the batch
        began: the moment when the turn began, in the ledger of the largest batch
    """

    def __init__(self, ledgers: dict[int, Ledger], began: int):
        (small, one), (self.size, ledger) = min(ledgers.items()), max(ledgers.items())
        self.began, self.end, self.device = began, ledger.moment, ledger.device
        self.roles = [role_of(block, began) for block in ledger.blocks]
        self.born = np.array([block.born for block in ledger.blocks])
        self.last = np.array([self.end if b.died is None else b.died for b in ledger.blocks])
        self.sizes = np.array([block.size for block in ledger.blocks], dtype=float)
        self.comparable = small != self.size and len(one.blocks) == len(ledger.blocks)
        if self.comparable:
            others = np.array([block.size for block in one.blocks], dtype=float)
            self.slopes = (self.sizes - others) / (self.size - small)
        else:
            grows = np.array([role in PASSING for role in self.roles], dtype=float)
            self.slopes = grows * self.sizes / self.size

    def peak(self, batch_size: int) -> dict[str, float]:
        """The bytes at the moment that takes most, by what they are for."""
        sizes = np.maximum(self.sizes + self.slopes * (batch_size - self.size), 0.0)
        holes = np.where(sizes < HEAP_BELOW, HEAP.get(self.device, 1.0) - 1, 0.0) * sizes
        holes *= np.array([role not in LASTING for role in self.roles])
        change = np.zeros(self.end + 2)
        np.add.at(change, self.born, sizes + holes)
        np.add.at(change, self.last + 1, -sizes - holes)
        moment = self.began + int(change.cumsum()[self.began : self.end + 1].argmax())
        living = (self.born <= moment) & (moment <= self.last)
        found: dict[str, float] = {}
        for place in living.nonzero()[0]:
            role = self.roles[place]
            found[role] = found.get(role, 0.0) + float(sizes[place])
        return found | {"allocator": float(holes[living].sum())}


def role_of(block: Block, began: int) -> str:
    """What a block is for: where nobody said, by when it was taken."""
    return block.role or ("other parts" if block.born < began else PASSING[0] if block.kept else PASSING[1])


def storages(values: Any, device: str) -> Iterator[tuple[int, Any]]:
    """Address and storage of each tensor on a device in a nest."""
    for tensor in tensors(values):
        if tensor.device.type == device and tensor.layout == torch.strided:
            storage = tensor.untyped_storage()
            if storage.nbytes():
                yield storage.data_ptr(), storage


def tensors(values: Any) -> Iterator[Tensor]:
    """The tensors in a nest of lists, tuples, dictionaries and dataclasses."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        yield from tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from tensors(value)
    elif dataclasses.is_dataclass(values) and not isinstance(values, type):
        yield from tensors(vars(values))
