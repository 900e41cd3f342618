"""How sides are timed beside each other, and how much memory one takes on its own."""

import gc
import itertools
import json
import math
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch

from benchmarks.sides import Side, Sides, interval_of, settled
from ganzo.options import saveable

HOPELESS = 1.5  # times slower than the best choice: not timed again
ROOT = Path(__file__).parents[1]

Window = dict[str, tuple[float, float]]  # of each side, seconds per turn by the clock and by the processor


def wait(device: torch.device | str) -> None:
    """Let a CUDA device finish what it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def timed(side: Side, turns: int) -> tuple[float, float]:
    """Seconds for a turn, by the clock and by the processor."""
    wait(side.device)
    wall, cpu = time.perf_counter(), time.process_time()
    side.play(turns)
    wait(side.device)
    return (time.perf_counter() - wall) / turns, (time.process_time() - cpu) / turns


def order_of(names: list[str], number: int) -> list[str]:
    """Who plays when in a round: every side comes first and last equally often, also among the even rounds alone.

    Two sides play A B, B A, B A, A B.
    """
    shift = number // 4 % len(names)
    rotated = names[shift:] + names[:shift]
    return rotated[::-1] if number % 4 in (1, 2) else rotated


def windows(
    sides: Mapping[str, Side],
    turns: Mapping[str, int],
    rounds: int,
    told: Callable[[int, Window], None] = lambda number, window: None,
    seldom: Collection[str] = (),
) -> list[Window]:
    """One window of each side in every round, side by side in time; of those that play seldom in every other one."""
    found: list[Window] = []
    for number in range(rounds):
        gc.collect()  # not in somebody's window
        order = order_of([name for name in sides if name not in seldom or number % 2 == 0], number)
        window = {name: timed(sides[name], turns[name]) for name in order}
        found.append({name: window[name] for name in sides if name in window})
        told(number, found[-1])
    return found


def seconds_of(
    found: list[Window], slower: str, quicker: str, by_cpu: bool = False
) -> tuple[list[float], list[float]]:
    """The seconds per turn of two sides in the rounds in which both played."""
    both = [window for window in found if slower in window and quicker in window]
    return [window[slower][by_cpu] for window in both], [window[quicker][by_cpu] for window in both]


def lengths(seconds: float, per_turn: float, interval: int = 1) -> int:
    """Turns in a window of about so many seconds, with as many lazy penalties in every window."""
    return interval * max(1, round(seconds / per_turn / interval))


def choose(
    options: Namespace, seconds: float, threads: list[int]
) -> tuple[bool, int, dict[tuple[bool, int], float]]:
    """The layout and number of threads in which the tuned loop is quickest, and its seconds per turn in each."""
    loops = {}
    for layout in (False, True) if options.channels_last is None else (options.channels_last,):
        sides = Sides(settled(options, layout, threads[-1]))
        loops[layout] = sides.side(sides.tuned())
    interval = interval_of(sides.work)
    best: dict[tuple[bool, int], float] = dict.fromkeys(itertools.product(loops, threads), math.inf)
    for _ in range(3):
        hopeful = [c for c in best if best[c] == math.inf or best[c] <= HOPELESS * min(best.values())]
        for layout, number in hopeful:
            torch.set_num_threads(number)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:  # at least once
                best[layout, number] = min(best[layout, number], timed(loops[layout], interval)[0])
    layout, number = min(best, key=lambda choice: best[choice])
    return layout, number, best


def threads_to_try(given: int | None, device: str | None) -> list[int]:
    """One thread, and one for each core; beside a GPU only these."""
    if given is not None:
        return [given]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_cpu = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")).type == "cpu"
    return sorted({1, cores}) if on_cpu else [cores]


def peak_of(options: Namespace, side: str, turns: int) -> float:
    """Megabytes that a side takes beyond what stands before its first turn, in a process of its own.

    There the C library hands every large block to the system as soon as it is free. Left to itself it keeps some, by
    what was freed before: the same loop then takes a tenth more or less from one process to the next.
    """
    told = json.dumps(saveable(options))
    out = run_python(
        ["-m", "benchmarks.peak", side, str(turns)], told=told, MALLOC_MMAP_THRESHOLD_="131072"
    ).stdout
    return json.loads(out.splitlines()[-1])["megabytes"]


def run_python(
    words: list[str], folder: Path | None = None, told: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a fresh Python that finds the benchmarks and Ganzo; ends where it fails."""
    paths = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, input=told, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": paths, **environment},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"`python {' '.join(words)}` failed:\n{done.stderr}")
    return done


def layout_name(layout: bool) -> str:
    """How images lie in memory."""
    return "NHWC" if layout else "NCHW"


def setting(layout: bool | str, threads: int) -> str:
    """A layout and a number of threads, for people to read."""
    named = layout if isinstance(layout, str) else layout_name(layout)
    return f"{threads} thread{'s' * (threads != 1)}, {named}"
