"""Data alone: the packed store against decoding every picture in every epoch.

    python -m benchmarks.pipeline [--rows 32,64,128] [--seconds 1] [--rounds 6] [--record FILE]

The same JPEG files (218×178 pixels, as CelebA's, smooth shapes with some noise) feed three pipelines, in windows side
by side:

- **stored**: Ganzo's packed store hands out batches of 8-bit pixels, as a run takes them.
- **encoded**: the same, with the encoding to float in [-1, 1] on the device beside it.
- **decoded**: what an image folder does: open the file, decode it, resize it (Pillow, bicubic), float, normalise,
  stack; through `torch.utils.data.DataLoader`, with no worker and with two, which stay alive between epochs.

Ratios are medians over the rounds of the images/s of the store over those of the quicker decoder in the same round,
with their 95 % confidence interval by order statistics. Packing, which a data set goes through once, is timed too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.measuring import order_of, wait
from benchmarks.ratios import covered, ratio, shown
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from ganzo.data import Data
from ganzo.encoder import Encoder
from ganzo.machine import find_device
from ganzo.options import make_options

SIDES = ("32", "64", "128")
WIDTH, HEIGHT = 178, 218
PICTURES, BATCH = 1024, 64
OVER_DECODING = 20  # how many times quicker the store has to be
SEED = 0


def paint(folder: Path, count: int) -> Path:
    """A folder of JPEG files that are as hard to decode as photographs."""
    folder.mkdir()
    random = np.random.default_rng(SEED)
    for number in range(count):
        rough = Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=np.uint8))
        smooth = np.asarray(rough.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = smooth + random.integers(-12, 13, (HEIGHT, WIDTH, 1))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05}.jpg", quality=90)
    return folder


class Decoded(Dataset):
    """Files that are decoded whenever they are asked for."""

    def __init__(self, folder: Path, side: int):
        self.files, self.side = sorted(folder.iterdir()), side

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as picture:
            small = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float().div_(255)
        return pixels.sub_(0.5).div_(0.5)


def decoder(folder: Path, side: int, workers: int) -> Callable[[float], float]:
    """A pipeline that decodes."""
    loader = DataLoader(
        Decoded(folder, side), BATCH, shuffle=True, num_workers=workers, drop_last=True,
        persistent_workers=workers > 0,
    )  # fmt: skip

    def batches() -> Iterator[Tensor]:
        while True:
            yield from loader

    endless = batches()
    return lambda seconds: speed(lambda: next(endless), seconds, torch.device("cpu"))


def store(
    folder: Path, side: int, device: torch.device, encoded: bool
) -> tuple[Callable[[float], float], float]:
    """A pipeline out of the packed store, and the images that are packed in a second."""
    options = make_options(
        dataset="folder", data_dir=str(folder), cache_dir=str(folder.parent / "cache"), image_size=side,
        batch_size=BATCH, seed=SEED,
    )  # fmt: skip
    options.device = str(device)
    start = time.perf_counter()
    data = Data.from_options(options)
    packing = len(data) / (time.perf_counter() - start)
    encode = Encoder.from_options(options).encode if encoded else lambda image: image

    def take() -> Any:
        batch = data.next()
        if batch is None:
            data.reset()
            batch = data.next()
        return encode(batch.image)

    return lambda seconds: speed(take, seconds, device), packing


def speed(take: Callable[[], Any], seconds: float, device: torch.device) -> float:
    """Images per second, over a window of batches."""
    wait(device)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:  # at least one
        take()
        count += 1
    wait(device)
    return count * BATCH / (time.perf_counter() - start)


def measure(side: str, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One size, with every window's images per second."""
    device, pictures = find_device(args.device), folder / "pictures"
    if not pictures.exists():
        note("painting pictures")
        paint(pictures, BATCH * 2 if args.quick else PICTURES)
    stored, packing = store(pictures, int(side), device, encoded=False)
    encoded, _ = store(pictures, int(side), device, encoded=True)
    ways = {"stored": stored, "encoded": encoded}
    ways |= {f"decoded-{workers}": decoder(pictures, int(side), workers) for workers in (0, 2)}
    for way in ways.values():
        way(args.seconds / 10)  # workers start
    windows = []
    for number in range(args.rounds):
        windows.append({name: ways[name](args.seconds) for name in order_of(list(ways), number)})
        note(f"{side} px: round {number + 1} of {args.rounds}")
    return summary(windows) | {
        "side": int(side),
        "packing": packing,
        "device": str(device),
        "windows": windows,
    }


def summary(windows: list[dict[str, float]]) -> dict[str, Any]:
    """The median images per second of each way, and how many times quicker the store is than decoding."""
    decoded = [max(window["decoded-0"], window["decoded-2"]) for window in windows]
    ratios = {
        f"{name}_over_decoded": ratio(
            [1 / speed for speed in decoded], [1 / window[name] for window in windows]
        )
        for name in ("stored", "encoded")
    }
    return ratios | {
        "images_per_second": {name: statistics.median(w[name] for w in windows) for name in windows[0]}
    }


def page(rows: Rows) -> str:
    """The table."""
    head = ["pixels", "stored", "encoded", "decoded, no worker", "decoded, two workers", "stored / decoded",
            f"≥ {OVER_DECODING}", "encoded / decoded", "packed once"]  # fmt: skip
    lines = []
    for row in rows.values():
        speeds = row["images_per_second"]
        lines.append([
            f"{row['side']}×{row['side']}",
            *(f"{speeds[name]:,.0f}" for name in ("stored", "encoded", "decoded-0", "decoded-2")),
            shown(row["stored_over_decoded"]),
            "yes" if row["stored_over_decoded"]["low"] >= OVER_DECODING else "**no**",
            shown(row["encoded_over_decoded"]), f"{row['packing']:,.0f}",
        ])  # fmt: skip
    return table(head, lines) + (
        f"\nImages per second in batches of {BATCH}, medians; ratios to the quicker decoder in the same round:"
        f" {covered(row['stored_over_decoded'] for row in rows.values())}. Files: JPEG, {WIDTH}×{HEIGHT}.\n"
    )


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the sizes, print the table, and write the record."""
    parser = parser_of("benchmarks.pipeline", __doc__, SIDES, rounds=6, seconds=1.0)
    args = parser.parse_args(arguments)
    if args.quick:
        args.rounds, args.seconds = min(args.rounds, 2), min(args.seconds, 0.1)
    if args.threads:
        torch.set_num_threads(args.threads)
    record = Record(args.record, "benchmarks.pipeline", page, SIDES, arguments)
    with tempfile.TemporaryDirectory() as folder:
        for side in rows_asked(parser, args, SIDES, record):
            record.add(side, lambda side=side: measure(side, args, Path(folder)))  # type: ignore[misc]
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
