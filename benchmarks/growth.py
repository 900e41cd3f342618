"""How cost grows: with the size of images, with the batch, and with the number of pictures.

    python -m benchmarks.growth [--rows image-size,batch,pictures] [--record FILE]

- **image-size** and **batch**: Ganzo's `run_epoch` with DCGAN's networks (16 channels beside the image): images/s (the
  median of short windows), and the memory that it takes at its peak beyond what is held before its first turn.
- **pictures**: 10³ to 10⁶ grey pictures of 16×16 pixels out of the packed store, each number in a process of its own
  that finds the store packed: the private memory of this process, when data are built and at its peak while a pass is
  played, and the images/s of batches alone. Pages of the store, and of the order of a pass, are mapped, not private:
  the system may drop or write them. `mirrored` is the peak of a run with `--random-flip`, which draws for each picture
  whether it is, and keeps it; `packing` that of the process that packed the store.
"""

import argparse
import json
import statistics
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import lengths, peak_of, run_python, setting, threads_to_try, timed
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from benchmarks.rows import conv
from benchmarks.sides import Sides, settled

SIZES, BATCHES = (16, 32, 64, 128), (8, 16, 32, 64, 128, 256)
NUMBERS = (1_000, 10_000, 100_000, 1_000_000)
NOISE = 0.5  # bytes a picture: whatever is kept of each takes more


def measure_image_size(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """From small to large images."""
    found = []
    for size in SIZES[: 2 if args.quick else None]:
        options = networks(folder, size, batch_size=16)
        found.append({"what": f"{size}×{size} pixels", "pixels": size * size} | cost(options, args))
    return found


def measure_batch(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """From small to large batches."""
    found = []
    for batch_size in BATCHES[: 2 if args.quick else None]:
        options = networks(folder, 32, batch_size=batch_size)
        found.append({"what": f"batch {batch_size}", "pixels": 32 * 32} | cost(options, args))
    return found


def networks(folder: Path, size: int, batch_size: int) -> Namespace:
    """DCGAN's networks with 16 channels beside the image."""
    return conv(folder, size, batch_size, generator_channels=2 * size, discriminator_channels=16)


def cost(options: Namespace, args: argparse.Namespace) -> dict[str, Any]:
    """Images per second of Ganzo, and its memory."""
    options.device = args.device
    threads = threads_to_try(args.threads, args.device)[-1]
    settled_options = settled(options, layout=True, threads=threads)
    side = Sides(settled_options).ganzo()
    timed(side, 1)
    turns = lengths(args.seconds, timed(side, 1)[0])
    seconds = [timed(side, turns)[0] for _ in range(args.rounds)]
    note(f"batch {options.batch_size}, {options.image_size} px")
    return {
        "images_per_second": options.batch_size / statistics.median(seconds),
        "ms_per_turn": 1000 * statistics.median(seconds),
        "megabytes": peak_of(settled_options, "ganzo", 2),
        "threads": threads,
        "precision": settled_options.precision,
    }


def measure_pictures(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """From few pictures to a million."""
    found = []
    for number in NUMBERS[: 2 if args.quick else None]:
        with tempfile.TemporaryDirectory(dir=folder) as place:  # the largest takes 264 MB of disk
            packing = in_a_process(number, place)
            running = in_a_process(number, place)
            mirrored = in_a_process(number, place, "--vary")
        found.append({"what": f"{number:,} pictures", "number": number, "packing": packing["building_peak"],
                      "mirrored": mirrored["playing_peak"]} | running)  # fmt: skip
        note(found[-1]["what"])
    return found


def in_a_process(number: int, folder: str, *words: str) -> dict[str, Any]:
    """One number of pictures, by `benchmarks.set_size`."""
    done = run_python(["-m", "benchmarks.set_size", str(number), folder, *words])
    return json.loads(done.stdout.splitlines()[-1])


ROWS: dict[str, Callable[[argparse.Namespace, Path], list[dict[str, Any]]]] = {
    "image-size": measure_image_size,
    "batch": measure_batch,
    "pictures": measure_pictures,
}


def page(rows: Rows) -> str:
    """The tables."""
    parts = [networks_table(rows[name]["lines"]) for name in ("image-size", "batch") if name in rows]
    if "pictures" in rows:
        parts.append(pictures_table(rows["pictures"]["lines"]))
    return "\n".join(parts)


def networks_table(lines: list[dict[str, Any]]) -> str:
    """Time and memory of networks."""
    head = ["what", "images/s", "ms a turn", "million pixels/s", "MB at the peak", "set-up"]
    return table(head, ([
        line["what"], f"{line['images_per_second']:,.0f}", f"{line['ms_per_turn']:,.1f}",
        f"{line['images_per_second'] * line['pixels'] / 1e6:.2f}", f"{line['megabytes']:.0f}",
        f"{setting('NHWC', line['threads'])}, {line['precision']}",
    ] for line in lines))  # fmt: skip


def pictures_table(lines: list[dict[str, Any]]) -> str:
    """Time and memory of data."""
    head = ["what", "private MB, built", "at the peak of a pass", "mirrored", "packing", "images/s", "new pass, ms",
            "state, ms"]  # fmt: skip
    text = table(head, ([
        line["what"], *(f"{line[key]:.1f}" for key in ("built", "playing_peak", "mirrored", "packing")),
        f"{line['images_per_second']:,.0f}", f"{line['reset_ms']:.2f}", f"{line['state_dict_ms']:.3f}",
    ] for line in lines))  # fmt: skip
    each = bytes_each(lines)
    return text + f"\nPrivate memory grows by {each:.1f} bytes a picture (asked for: none; {told(each)}).\n"


def bytes_each(lines: list[dict[str, Any]]) -> float:
    """By how many bytes private memory grows with each picture, from the fewest to the most."""
    few, many = lines[0], lines[-1]
    return 1e6 * (many["playing_peak"] - few["playing_peak"]) / (many["number"] - few["number"])


def told(each: float) -> str:
    """Whether private memory stays the same, or what it grows by."""
    return "met" if each < NOISE else "**not met**"


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the tables, and write the record."""
    parser = parser_of("benchmarks.growth", __doc__, ROWS, rounds=5, seconds=0.5)
    args = parser.parse_args(arguments)
    if args.quick:
        args.rounds, args.seconds = 1, 0.05
    record = Record(args.record, "benchmarks.growth", page, ROWS, arguments)
    threads = torch.get_num_threads()
    for name in rows_asked(parser, args, ROWS, record):
        with tempfile.TemporaryDirectory() as folder:
            record.add(name, lambda name=name, folder=folder: {"lines": ROWS[name](args, Path(folder))})  # type: ignore[misc]
        torch.set_num_threads(threads)
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
