"""The packed store: each picture decoded once, to 8-bit pixels in one file that is mapped into memory.

A file holds the pixels of all examples (the pictures of a pair lie one after the other, as further channels), their
labels as int64, a JSON header, and a trailer that seals the header. It is written from front to end under a temporary
name and renamed when it is on disk, so that two processes that pack the same data do not meet: each writes its own, and
the last rename stays. A file that is cut off or not ours is replaced.
"""

import hashlib
import json
import math
import os
import shutil
import struct
import time
import warnings
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzo.data import Source
from ganzo.data.pixels import Resize, pixels
from ganzo.data.progress import tell, watched
from ganzo.nn.cache import cache_folder as cache_folder  # it is looked for here
from ganzo.nn.side import sides
from ganzo.registry import DataError

FORMAT = 2
TRAILER = struct.Struct("<8sQ32s")  # magic, length of the header, its SHA-256
MAGIC = b"ganzo\0\0\1"
HANDFUL = 16  # pictures that a thread decodes at a time: handing over one alone costs as much as a small one
STALE = 3600.0  # seconds after which a temporary file that no one writes is left over from a killed process


class Packed(NamedTuple):
    """Decoded pictures.

    Args:
        images: uint8 N×C×H×W; of pairs N×2C×H×W, the input first
        labels: int64 N, or none
        bad: the damaged pictures that were skipped, each with its reason
        content: a key of pixels and labels
    """

    images: Tensor
    labels: Tensor | None
    bad: list[str]
    content: str


def memory() -> int:
    """Bytes of memory that the machine has; without an answer, as many as anyone could ask for."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # no such question on this system
        return 2**63


def pack(
    source: Source,
    size: int | str,
    colors: int,
    *,
    resize: Resize = "stretch",
    folder: Path | None = None,
    workers: int | None = None,
    max_bad_fraction: float = 0.01,
) -> Packed:
    """Decode all pictures of a source, or find them decoded in the folder; without one they stay in memory."""
    height, width = sides(size)
    channels = source.pictures_each * colors
    if folder is None or source.in_memory:
        needed, there = len(source) * channels * height * width, memory()
        if needed > there:
            raise DataError(
                f"{len(source)} pictures of {width}×{height} pixels take {needed / 1e9:,.1f} GB, and this machine has"
                f" {there / 1e9:,.1f} GB of memory; choose a smaller `--image-size`."
            )
        images, kept, bad = list[np.ndarray](), list[int](), list[str]()
        digest = hashlib.sha256()
        for index, decoded in decode(source, size, colors, resize, workers):
            if isinstance(decoded, str):
                skip(decoded, bad, source, max_bad_fraction)
            else:
                digest.update(decoded.data)
                images.append(decoded)
                kept.append(index)
        labels = labels_of(source, kept)
        digest.update(b"" if labels is None else labels.numpy().tobytes())
        return Packed(torch.from_numpy(np.stack(images)), labels, bad, digest.hexdigest())
    facts = f"{FORMAT} {source.fingerprint()} {width}x{height} {channels} {resize}-bicubic"
    path = folder / f"{hashlib.sha256(facts.encode()).hexdigest()[:40]}.packed"
    packed = read(path)
    if packed is None:
        if path.exists():
            tell(f"the packed store {path} is damaged; packing the pictures anew")
        examples = decode(source, size, colors, resize, workers)
        write(path, source, (channels, height, width), examples, max_bad_fraction)
        return read(path) or unusable(folder, "it cannot be read back")
    if packed.bad:
        check_bad(packed.bad, source, max_bad_fraction)
        tell(
            f"damaged pictures of {source.name} that are left out: {len(packed.bad)}; the first is {packed.bad[0]}"
        )
    return packed


def decode(
    source: Source, size: int | str, colors: int, resize: Resize, workers: int | None
) -> Iterator[tuple[int, np.ndarray | str]]:
    """Each example's number with its pixels, in order; in place of a damaged one, its name and the reason."""

    def one(index: int) -> np.ndarray | str:
        try:
            with ExitStack() as opened:
                pictures = [opened.enter_context(picture) for picture in source.pictures(index)]
                decoded = [pixels(picture, size, colors, resize) for picture in pictures]
            return decoded[0] if len(decoded) == 1 else np.concatenate(decoded)
        except Exception as error:  # Pillow raises almost anything over damaged bytes
            reason = " ".join(str(error).split()) or type(error).__name__
            return f"{source.item_name(index)} ({reason})"

    workers = cores() if workers is None else workers
    with warnings.catch_warnings():  # Pillow's remarks on odd, yet readable files
        warnings.simplefilter("ignore")
        yield from enumerate(watched(in_order(one, len(source), workers), len(source), source.name))


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(function: Callable[[int], Any], count: int, workers: int) -> Iterator[Any]:
    """`function(0)`, `function(1)`, …, computed by threads that run a little ahead, a handful each time."""
    if workers == 0:
        yield from map(function, range(count))
        return
    pool, waiting = ThreadPoolExecutor(workers), deque[Future]()
    try:
        for start in range(0, count, HANDFUL):
            numbers = range(start, min(start + HANDFUL, count))
            waiting.append(pool.submit(lambda numbers: [function(n) for n in numbers], numbers))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def skip(damaged: str, bad: list[str], source: Source, max_bad_fraction: float) -> None:
    """Name a damaged picture and count it."""
    tell(f"skipped damaged picture {damaged}")
    bad.append(damaged)
    check_bad(bad, source, max_bad_fraction)


def check_bad(bad: list[str], source: Source, max_bad_fraction: float) -> None:
    """Refuse data with too many damaged pictures; a single one is allowed in small data too, but by a fraction of 0."""
    count = len(source)
    if len(bad) == count:
        raise DataError(f"No picture of `{source.name}` can be decoded, the first of {count} is {bad[0]}.")
    allowed = max(1, int(max_bad_fraction * count)) if max_bad_fraction else 0
    if len(bad) > allowed:
        raise DataError(
            f"At most {allowed} of the {count} pictures in `{source.name}` may be damaged; found {len(bad)} so far, the"
            f" first of them {bad[0]}. Mend or remove them, or allow more with `--max-bad-fraction`."
        )


def labels_of(source: Source, kept: Sequence[int]) -> Tensor | None:
    """The labels of the pictures that were kept."""
    if source.labels is None:
        return None
    labels = source.labels
    return torch.from_numpy(np.fromiter((labels[i] for i in kept), np.int64, len(kept)))


def write(
    path: Path,
    source: Source,
    shape: tuple[int, int, int],
    examples: Iterator[tuple[int, np.ndarray | str]],
    max_bad_fraction: float,
) -> None:
    """Write the decoded examples of a source, each C×H×W, into a store."""
    digest, kept, bad = hashlib.sha256(), array("q"), list[str]()
    with fresh_file(path, len(source) * math.prod(shape)) as file:
        for index, decoded in examples:
            if isinstance(decoded, str):
                skip(decoded, bad, source, max_bad_fraction)
            else:  # written, not mapped: over a full disk a mapping kills the process
                digest.update(decoded.tobytes())
                file.write(decoded.tobytes())
                kept.append(index)
        labels = labels_of(source, kept)
        if labels is not None:
            digest.update(labels.numpy().tobytes())
            file.write(labels.numpy().tobytes())
        facts = {"shape": [len(kept), *shape], "labels": labels is not None, "bad": bad}
        header = json.dumps(
            {**facts, "name": source.name, "content": digest.hexdigest()}, sort_keys=True
        ).encode()
        file.write(header + TRAILER.pack(MAGIC, len(header), hashlib.sha256(header).digest()))


@contextmanager
def fresh_file(path: Path, size: int) -> Iterator[BinaryIO]:
    """A file of about `size` bytes that appears under its name when it is complete, or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob("*.tmp"):
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > STALE:
                    old.unlink()
        free = shutil.disk_usage(path.parent).free
        if free < size:
            unusable(path.parent, f"{size / 1e6:,.1f} MB are needed and {free / 1e6:,.1f} MB are free")
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        unusable(path.parent, error.strerror or str(error))
    finally:
        with suppress(OSError):
            temporary.unlink()


def unusable(folder: Path, why: str) -> Any:
    """Say that the cache folder cannot hold the store."""
    raise DataError(
        f"The decoded pictures cannot be stored in `{folder}`: {why}; choose another folder with `--cache-dir`."
    )


def read(path: Path) -> Packed | None:
    """What a store holds, its pixels mapped and read-only; None where there is none, or one that is not whole."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - TRAILER.size, 0))
            magic, length, digest = TRAILER.unpack(file.read())
            file.seek(max(end - TRAILER.size - length, 0))
            text = file.read(min(length, end))
            if magic != MAGIC or hashlib.sha256(text).digest() != digest:
                return None
            header = json.loads(text)
            shape = header["shape"]
            count, area = shape[0], math.prod(shape)
            labelled = 8 * count if header["labels"] else 0
            if end != area + labelled + length + TRAILER.size:
                return None
    except (OSError, struct.error):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, that the mapping is read-only: batches are copies
        mapped = np.memmap(path, np.uint8, "r", shape=(area + labelled,))
        images = torch.from_numpy(mapped[:area].reshape(shape))
        # copied where they are not aligned
        numbers = np.require(mapped[area:].view(np.int64), requirements="A")
        labels = torch.from_numpy(numbers) if labelled else None
    return Packed(images, labels, header["bad"], header["content"])
