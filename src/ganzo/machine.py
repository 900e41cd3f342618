"""The machine that a run computes on: device, precision, and the layout and threads that a short trial finds best."""

import itertools
import math
import os
import platform
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any, Literal

import torch

from ganzo.errors import OptionError
from ganzo.launch import has_own_device, started
from ganzo.nn.compiled import can_compile
from ganzo.nn.ranks import everyone, muted, ranks, shared, talking
from ganzo.nn.say import tell
from ganzo.registry import register
from ganzo.schema import Count

WINDOW = 0.12  # seconds of throw-away steps in one timing
WINDOWS = 3
PROBES = 20  # small convolutions in one probe of the threads
MOST_THREADS = 1024
CROWDED = 1.5  # times slower than one thread: not worth a trial
HOPELESS = 1.5  # times slower than the best choice: not timed again


@register("common", "machine")
class Machine:
    """What a run computes on.

    Args:
        device: where to compute, as torch writes it (cuda, cuda:1, cpu); none for cuda where there is one, else cpu
        precision: numbers that the networks compute in; auto takes bf16 where the device has it, else fp32; fp16 scales
            the losses so that small gradients do not vanish
        compile: compile the networks with torch's own compiler; it pays in long runs on a CUDA device alone
        cuda_graphs: record what is compiled once and replay it, on a CUDA device; needs `--compile`
        channels_last: keep images as B×H×W×C in memory; none to let a short trial decide
        threads: threads of the processor; none to let a short trial decide
        tune: let a few throw-away steps decide what layout and threads are left open; all state is put back
        sync_batch_norm: let batch norms use the statistics of the batch of all processes that train the run together;
            without it each uses those of its share
        parallel: train on every visible CUDA device of this machine, with a process for each
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto",
        compile: bool = False,
        cuda_graphs: bool = False,
        channels_last: bool | None = None,
        threads: Count | None = None,
        tune: bool = True,
        sync_batch_norm: bool = False,
        parallel: bool = False,
    ):
        if parallel and not started():
            refuse_parallel(torch.cuda.device_count())
        check_threads(threads)
        self.device = find_device(device)
        self.precision = precision if precision != "auto" else "bf16" if has_bf16(self.device) else "fp32"
        self.cuda_graphs = cuda_graphs
        if cuda_graphs and not (compile and self.device.type == "cuda"):
            raise OptionError(
                f"`--cuda-graphs` needs `--compile` and a CUDA device; got `{self.device}`"
                f" {'with' if compile else 'without'} `--compile`. Leave it out."
            )
        self.compile = compile and can_compile(self.device)
        self.channels_last = channels_last
        self.threads = threads
        self.tune = tune
        self.sync_batch_norm = sync_batch_norm

    def settle(self, options: Namespace) -> None:
        """Write what is known by now into the options, and set the number of threads; processes of a run agree."""
        options.device, options.compile = str(self.device), self.compile
        options.cuda_graphs = self.cuda_graphs and self.compile
        options.precision, options.channels_last = shared((self.precision, bool(self.channels_last)))
        options.threads = self.threads or (own_cores() if ranks().count > 1 else torch.get_num_threads())
        torch.set_num_threads(options.threads)

    def choose(self, options: Namespace, assemble: Callable[[Namespace], Any]) -> str | None:
        """Decide what is left open by timing throw-away steps; returns one line that says what was chosen.

        Every trial plays a game of its own that is built from the options and thrown away, so nothing has to be put
        back but torch's number of threads. Of several processes each plays, and rank 0's verdict counts.
        """
        cores = own_cores()
        layouts = [self.channels_last] if self.channels_last is not None else [False, True]
        threads = [self.threads] if self.threads is not None else sorted({1, cores})
        if not self.tune:
            return None
        if self.threads is None:
            threads = [t for t in threads if not crowded(t)] if self.device.type == "cpu" else threads[-1:]
            threads = shared(threads)
        if len(layouts) * len(threads) == 1:
            self.channels_last, self.threads = layouts[0], threads[0]
            return None
        games = {}
        for layout in layouts:
            trial = Namespace(**vars(options))
            trial.device, trial.precision, trial.channels_last = str(self.device), self.precision, layout
            trial.compile = trial.cuda_graphs = False  # it would take longer than the trial
            games[layout] = assemble(trial)
        best: dict[tuple[Any, Any], float] = {
            choice: math.inf for choice in itertools.product(layouts, threads)
        }
        for _ in range(WINDOWS):
            for layout, number in [
                c for c in best if best[c] <= HOPELESS * min(best.values()) or best[c] == math.inf
            ]:
                torch.set_num_threads(number)
                with muted():
                    seconds = _seconds_per_turn(games[layout], self.device)
                best[layout, number] = min(seconds, best[layout, number])
        self.channels_last, self.threads = shared(min(best, key=lambda choice: best[choice]))
        return (
            f"tuned: {self.threads} thread{'s' * (self.threads != 1)}, {'NHWC' if self.channels_last else 'NCHW'},"
            f" {self.precision} ({1000 * min(best.values()):.1f} ms a turn; the slowest choice takes"
            f" {1000 * max(best.values()):.1f})"
        )


def find_device(name: str | None) -> torch.device:
    """The device of a name; raises OptionError where it is not there."""
    try:
        device = own_device(torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu")))
        torch.Generator(device)
        torch.empty(1, device=device).tolist()
    except (RuntimeError, AssertionError) as error:
        kinds = "cpu and cuda" if torch.cuda.is_available() else "cpu alone"
        raise OptionError(
            f"`--device` must name a device of this machine, which has {kinds}; got `{name}`"
            f" ({str(error).splitlines()[0].partition('. ')[0][:200]})."
        ) from error
    return device


def own_device(device: torch.device) -> torch.device:
    """The device itself; of CUDA's this process's own, where others of the run are on this machine."""
    here, there = ranks(), torch.cuda.device_count()
    if device.type != "cuda" or here.count == 1:
        return device
    if there >= here.local_count > 1:
        device = torch.device("cuda", here.local_rank)
    elif here.local_count > 1 and not has_own_device():
        raise OptionError(
            f"The {here.local_count} processes of a run on one machine must have as many CUDA devices; there"
            f" {'is 1' if there == 1 else f'are {there}'}. Start no more than that, or give `--device cpu`."
        )
    torch.cuda.set_device(device if device.index is not None else 0)
    return device


def own_cores() -> int:
    """How many cores there are for this process: its share of those that it, and others of the run, may use."""
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    here = (platform.node(), sorted(mine))  # a launcher may have bound each process to cores of its own
    beside = everyone(here).count(here) if talking() else ranks().local_count
    return max(1, len(mine) // beside)


def check_threads(threads: int | None) -> None:
    """Refuse more threads than any machine serves, and say when there are more than cores."""
    cores = os.cpu_count() or 1
    if threads is not None and threads > MOST_THREADS:
        raise OptionError(
            f"`--threads` must be at most {MOST_THREADS:,}; got {threads:,}. More than this machine's {cores} cores are"
            " slower."
        )
    if threads is not None and threads > cores:
        tell(
            f"warning: `--threads {threads}` are more than this machine's {cores} cores, and slower than as many."
        )


def refuse_parallel(devices: int) -> None:
    """Say that `--parallel` has no effect where there is one device; raise OptionError where it should have one."""
    if devices > 1:
        raise OptionError(
            f"`parallel` starts a process for each of the {devices} CUDA devices from the command line alone; leave it"
            " out of a program, start that by `torchrun`, and let it call `ganzo.nn.ranks.join()` first."
        )
    found = "one CUDA device" if devices else "no CUDA device"
    tell(
        f"warning: `--parallel` has no effect: there is {found}. Several processes on the CPU are started by"
        " `torchrun --nproc-per-node 2 -m ganzo train … --device cpu`."
    )


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bf16, and not merely stores it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and any(
        check()
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        if (check := getattr(torch.cpu, name, None))
    )


def crowded(threads: int) -> bool:
    """Whether so many threads wait for each other more than they compute, because other programs hold the cores.

    A turn waits for all threads hundreds of times, and beside a neighbour it can take a hundred times longer: too
    long to find out by timing one.
    """
    if threads == 1:
        return False
    images, weights = torch.ones(64, 16, 16, 16), torch.ones(32, 16, 3, 3)

    def seconds(number: int) -> float:
        torch.set_num_threads(number)
        start = time.perf_counter()
        for _ in range(PROBES):
            torch.conv2d(images, weights)
        return time.perf_counter() - start

    return min(seconds(threads) for _ in range(2)) > CROWDED * min(seconds(1) for _ in range(2))


def _seconds_per_turn(parts: Any, device: torch.device) -> float:
    """Seconds for one turn, over a short window of turns."""

    def wait() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    turns, start = parts.game.turns, wait()
    while parts.game.turns == turns:  # the rest of a pass may be too little for a turn
        for _ in parts.game.rounds(parts.data, parts.noise, pause=lambda: wait() - start > WINDOW):
            break
    return (wait() - start) / (parts.game.turns - turns)
