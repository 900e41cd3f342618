"""What a set of pictures costs in memory and time, by `python -m benchmarks.set_size NUMBER FOLDER`.

It builds Ganzo's data over a made-up source of grey pictures of 16×16 pixels with ten classes, plays passes, and prints
JSON. The first call with a folder packs the store, the next one finds it packed, as runs do. The pictures are drawn
instead of decoded; all else is Ganzo's own way from a source to batches.

Private memory is `RssAnon` of /proc/self/status: what belongs to this process alone. Pages of the store, which is
mapped, are not in it; the system may drop them.
"""

import argparse
import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzo.data import Source, store
from ganzo.data.single_image import SingleImageData

SIDE, CLASSES, BATCH = 16, 10, 64
BATCHES = 2000  # at most, in one timing
STATUS = Path("/proc/self/status")
MEGABYTE = 1e6


class Numbers:
    """The classes of the pictures, which nobody has to keep."""

    def __init__(self, count: int):
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        if index >= self.count:
            raise IndexError(index)
        return index % CLASSES


class Made(Source):
    """As many pictures as one likes."""

    name = "made"
    class_names = tuple("0123456789")

    def __init__(self, count: int):
        self.count, self.labels = count, Numbers(count)  # type: ignore[assignment]

    def __len__(self) -> int:
        return self.count

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.pixels(index)[0])

    def pixels(self, index: int) -> np.ndarray:
        """A picture as it is stored."""
        values = np.arange(index, index + SIDE * SIDE, dtype=np.int64) * 2654435761
        return (values >> 7).astype(np.uint8).reshape(1, SIDE, SIDE)

    def fingerprint(self) -> str:
        return f"made {self.count}"


def drawn(source: Any, *rest: Any) -> Iterator[tuple[int, np.ndarray]]:
    """In the place of decoding."""
    return ((index, source.pixels(index)) for index in range(len(source)))


def private() -> float:
    """Megabytes of private memory."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024 / MEGABYTE


class Peak:
    """The most private memory while something goes on: looked at every millisecond."""

    def __enter__(self) -> "Peak":
        self.most, self.over = private(), threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self) -> None:
        """Look until it is over."""
        while not self.over.wait(0.001):
            self.most = max(self.most, private())

    def __exit__(self, *error: Any) -> None:
        self.over.set()
        self.thread.join()
        self.most = max(self.most, private())


def seconds(work: Callable[[], Any], times: int) -> float:
    """The least seconds that some work took."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def measure(count: int, folder: Path, vary: bool = False) -> dict[str, Any]:
    """Build data of so many pictures, play, and tell what it took."""
    decode, store.decode = store.decode, drawn  # type: ignore[assignment]
    try:
        gc.collect()
        before = private()
        with Peak() as building:
            data = SingleImageData(
                Made(count), image_size=SIDE, image_colors=1, batch_size=BATCH, seed=0, cache_dir=str(folder),
                random_flip=vary,
            )  # fmt: skip
    finally:
        store.decode = decode
    gc.collect()
    built = private()
    batches = min(BATCHES, data.batches or 0)

    def play() -> None:
        for _ in range(batches):
            data.next()

    with Peak() as playing:
        data.reset()
        play()
    data.reset()
    speed = batches * BATCH / seconds(lambda: (data.reset(), play()), 1 if batches == BATCHES else 5)
    return {
        "pictures": count, "building_peak": building.most - before, "built": built - before,
        "playing_peak": playing.most - before, "images_per_second": speed,
        "reset_ms": 1000 * seconds(data.reset, 5), "state_dict_ms": 1000 * seconds(data.state_dict, 5),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure one number of pictures, and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.set_size", description=__doc__.split("\n")[0])
    parser.add_argument("number", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vary", action="store_true", help="mirror the pictures at random")
    args = parser.parse_args(arguments)
    print(json.dumps(measure(args.number, args.folder, args.vary)))


if __name__ == "__main__":
    main()
