"""Batches by index out of tensors: what all data share whose examples lie in one place."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ganzo.data import Batch, Data
from ganzo.data.progress import tell
from ganzo.data.vary import Vary, centred
from ganzo.nn import ranks
from ganzo.nn.random import restore_stream, stream
from ganzo.nn.side import size_of
from ganzo.registry import DataError

MANY = 1 << 16  # examples whose order is not kept in private memory
RESIDENT = 0.25  # the share of a device's free memory that data may take for good


class StoredData(Data):
    """Data whose examples lie in tensors; a batch is one indexing of each.

    Shuffled data draw a new permutation per pass, and drop the last incomplete batch. Data in a fixed order hand out
    every example, so that their last batch may be smaller. On a CUDA device the examples move there when they fit.
    Of several ranks each gets its share of every batch of shuffled data, and the whole of one in a fixed order.

    Args:
        examples: all examples as one batch, B×C×H×W with B the number of examples
        batch_size: examples in a batch of all ranks
        class_names: names of the classes; empty where there are no labels
        seed: seed of the permutations; none for fresh ones
        device: where the players live
        shuffle: whether passes are shuffled
        name: what messages call the data
        content: key of the content; none to have it computed when it is asked for
        vary: what changes batches at random; none to hand out the examples as they are
        pin_memory: whether batches that travel to a CUDA device go through pinned memory (none: they do)
    """

    shares = True

    def __init__(
        self,
        examples: Batch,
        *,
        batch_size: int,
        class_names: Sequence[str] = (),
        seed: int | None = None,
        device: torch.device | str = "cpu",
        shuffle: bool = True,
        name: str = "data",
        content: str | None = None,
        vary: Vary | None = None,
        pin_memory: bool | None = None,
    ):
        count = len(examples)
        if count < (batch_size if shuffle else 1):
            raise DataError(
                f"A batch of {batch_size} needs as many pictures; got {count} in `{name}`."
                f" Lower `--batch-size` to at most {count}, or give more."
            )
        self.examples, self.pinned = placed(examples, torch.device(device), pin_memory)
        self.name, self.content, self.vary = name, content, vary
        self.window = None if vary is None else vary.window
        made = examples.image if examples.target is None else examples.target
        self.image_size = size_of(*(self.window or made.shape[2:]))
        self.image_colors, self.input_colors = made.shape[1], examples.image.shape[1]
        self.pairs = examples.target is not None
        self.class_names = tuple(class_names)
        self.classes = len(self.class_names)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.end = count - count % batch_size if shuffle else count
        self.batches = -(-self.end // batch_size)
        self.generator = stream(seed, "data")  # on the CPU, so that every device sees the same order
        self.reset()

    def __len__(self) -> int:
        return len(self.examples)

    def next(self) -> Batch | None:
        if self.position >= self.end:
            return None
        size = min(self.batch_size, self.end - self.position)
        mine = ranks.share(size) if self.shuffle else slice(0, size)
        first = self.position + mine.start
        index = self.order[first : self.position + mine.stop]
        taken = [
            None if column is None else column.index_select(0, index) for column in columns(self.examples)
        ]
        if self.vary is not None:
            taken = self.vary.columns(taken, first)
        self.position += size
        return Batch(*(c.pin_memory() if self.pinned and c is not None else c for c in taken))  # type: ignore[arg-type]

    def reset(self) -> None:
        self.start = self.generator.get_state()  # of this pass: its order is drawn anew from here
        count = len(self.examples)
        kind = torch.int32 if count <= torch.iinfo(torch.int32).max else torch.int64  # the same numbers
        self.order = torch.empty(0, dtype=kind)  # the old order goes before the new one comes
        order = room(count, kind)
        if self.shuffle:
            torch.randperm(count, generator=self.generator, out=order)
        else:
            torch.arange(count, out=order)
        self.order = order.to(self.examples.image.device)
        self.position = 0
        if self.vary is not None:
            self.vary.reset(count, self.examples.image.shape[2:], self.order.device)

    def state_dict(self) -> dict[str, Any]:
        facts = {"examples": len(self.examples), "content": self.fingerprint()}
        varied = {} if self.vary is None else self.vary.state_dict()
        return {"generator": self.start, "position": self.position, **varied, **facts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        known = state.get("examples", len(self.examples))
        if known != len(self.examples):
            raise DataError(
                f"A restored run needs the data that it began with: {known} pictures; got {len(self.examples)} in"
                f" `{self.name}`. Give it those data, or start anew with `--delete`."
            )
        if state.get("content", self.fingerprint()) != self.fingerprint():  # older states do not know it
            raise DataError(
                f"A restored run needs the data that it began with: the pictures or labels of `{self.name}` have"
                " changed since. Give it those data, or start anew with `--delete`."
            )
        restore_stream(self.generator, state["generator"])
        if self.vary is not None:
            self.vary.load_state_dict(state)
        self.reset()
        self.position = state["position"]

    def reference(self) -> Data:
        """The part that is held out, or all examples where nothing is; unchanged, with the windows in the middle."""
        return self.held_out() or StoredData(
            centred(self.examples, self.window),
            batch_size=self.batch_size,
            class_names=self.class_names,
            shuffle=False,
            device=self.examples.image.device,
            name=self.name,
        )

    def fingerprint(self) -> str:
        """A key of the stored pixels and labels, the same on every machine."""
        if self.content is None:
            digest = hashlib.sha256()
            for column in columns(self.examples):
                if column is not None:
                    digest.update(column.cpu().contiguous().numpy().data)
            self.content = digest.hexdigest()
        return self.content


def room(count: int, kind: torch.dtype) -> Tensor:
    """Room for so many numbers: of many it is mapped from a file without a name, as the pixels are, and not private."""
    if count >= MANY and hasattr(os, "posix_fallocate"):
        with contextlib.suppress(OSError), tempfile.NamedTemporaryFile() as file:
            # a full disk must be told of here: in a mapped page it would end the process
            os.posix_fallocate(file.fileno(), 0, count * kind.itemsize)
            return torch.from_file(file.name, shared=True, size=count, dtype=kind)
    return torch.empty(count, dtype=kind)


def columns(batch: Batch) -> list[Tensor | None]:
    """The fields of a batch, in order."""
    return [batch.image, batch.label, batch.target, batch.mask]


def placed(examples: Batch, device: torch.device, pin_memory: bool | None = None) -> tuple[Batch, bool]:
    """Move examples to a CUDA device where they fit; else say whether batches go there through pinned memory."""
    if device.type != "cuda":
        if pin_memory:
            tell(f"`--pin-memory` has no effect on `{device}`: there is no other memory to travel to")
        return examples, False
    needed = sum(column.nbytes for column in columns(examples) if column is not None)
    if needed > RESIDENT * torch.cuda.mem_get_info(device)[0]:
        return examples, pin_memory is not False
    return Batch(*(None if c is None else c.to(device) for c in columns(examples))), False  # type: ignore[arg-type]
