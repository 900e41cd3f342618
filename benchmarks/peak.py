"""What a side takes of memory while it plays, by `python -m benchmarks.peak SIDE TURNS`, with options on stdin.

Both sides are built, so that the state before the first turn is the same for either; then one plays. On a CPU the
number is the growth of the process's resident memory to its peak (Linux writes it down, and lets it be set back); on
CUDA it is torch's own peak of allocated memory over what was allocated before.
"""

import argparse
import gc
import json
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.sides import Sides, settled
from ganzo.options import make_options

MEGABYTE = 1e6
STATUS = Path("/proc/self/status")


def resident() -> tuple[int, int]:
    """Bytes of memory that this process holds now, and the most that it held since `forget_peak`."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    now, peak = (int(lines[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
    return now, peak


def forget_peak() -> None:
    """Let the peak be counted from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def growth(play: Callable[[], Any], device: torch.device | str) -> float:
    """Megabytes at the peak of some turns, over what is held before them."""
    device = torch.device(device)
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        play()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / MEGABYTE
    forget_peak()
    before, _ = resident()
    play()
    return (resident()[1] - before) / MEGABYTE


def measured(options: Namespace, side: str, turns: int) -> float:
    """Megabytes that one side of a row takes."""
    torch.set_num_threads(options.threads)
    sides = Sides(settled(options, options.channels_last, options.threads))
    players = {"ganzo": sides.ganzo(), "tuned": sides.side(sides.tuned())}
    return growth(lambda: players[side].play(turns), sides.device)


def main(arguments: list[str] | None = None) -> None:
    """Measure one side, and print it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peak", description=__doc__.split("\n")[0])
    parser.add_argument("side", choices=["ganzo", "tuned"])
    parser.add_argument("turns", type=int)
    args = parser.parse_args(arguments)
    options = make_options(**json.load(sys.stdin))
    print(json.dumps({"megabytes": measured(options, args.side, args.turns)}))


if __name__ == "__main__":
    main()
