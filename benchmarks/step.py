"""How fast a turn is: Ganzo's `run_epoch` against a hand-written tuned loop of the same networks.

    python -m benchmarks.step [--rows digits,conv,good] [--seconds 3] [--rounds 10] [--record FILE]

Both train equal networks from equal weights on the same images, noise and labels, in one process, in windows of the
same number of turns: A B A B, the order reversed every other round. Layout (NCHW or NHWC) and number of threads are
those in which a short trial of the *hand-written* loop is quickest; both sides use them.

Ratios above 1 say that Ganzo is quicker. `best` sets the quickest window against the quickest, `paired` is the median
of the ratios of each round, `spread` their range. `CPU` is `paired` by the processor's seconds in place of the clock's,
which neighbours disturb less (on one thread). `weights` tells whether both sides ended with the same ones, bit for bit.
"""

import argparse
import copy
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import ganzo
from benchmarks.loops import LOSSES, TunedLoop, Work
from ganzo.assemble import Parts, assemble
from ganzo.game.standard import StandardGame
from ganzo.hook.ema import EMA
from ganzo.machine import Machine
from ganzo.nn.random import stream
from ganzo.noise.gaussian import GaussianNoise
from ganzo.options import Completed, Layer, make_options, saveable
from ganzo.recipes import read_config

SEED = 0
PICTURES = 1024  # of 64×64 random pixels, in a folder, for the rows `conv` and `good`
HOPELESS = 1.5  # times slower than the best choice: not timed again


def digits(folder: Path) -> Namespace:
    """The default recipe, as it ships."""
    return Completed([Layer("recipe `digits`", read_config("digits")), Layer("seed", {"seed": SEED})]).options


def conv(folder: Path) -> Namespace:
    """Convolutions at 64 pixels, 64 channels in both networks."""
    return make_options(
        **from_folder(folder), batch_size=64, loss="gan", generator="conv", discriminator="conv",
        generator_channels=64, discriminator_channels=64, lr=2e-4, beta1=0.5, beta2=0.999,
    )  # fmt: skip


def good(folder: Path) -> Namespace:
    """The residual networks of WGAN-GP at 64 pixels, a small batch, one move each."""
    return make_options(
        **from_folder(folder), batch_size=8, loss="wgan-gp", generator="good", discriminator="good"
    )


ROWS: dict[str, Callable[[Path], Namespace]] = {"digits": digits, "conv": conv, "good": good}


def from_folder(folder: Path) -> dict[str, Any]:
    """Options for coloured pictures from a folder, which is filled if it is empty."""
    pictures = folder / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        random = np.random.default_rng(SEED)
        for number in range(PICTURES):
            pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(pictures / f"{number:04}.bmp")
    return {"dataset": "folder", "data_dir": str(pictures), "cache_dir": str(folder / "cache"), "seed": SEED}


def ganzo_and_loop(options: Namespace) -> tuple[Parts, TunedLoop]:
    """The parts of a run, and the hand-written loop with copies of its networks and the same random streams."""
    parts = assemble(options)
    g, d = (copy.deepcopy(player.network) for player in parts.game.players.values())
    images, labels = parts.data.examples.image.clone(), parts.data.examples.label
    random = {name: stream(options.seed, name) for name in ("data", "noise", "random")}
    return parts, TunedLoop(work_of(parts, options), g, d, images, labels, random)


def work_of(parts: Parts, options: Namespace) -> Work:
    """What the parts do in a turn, as the hand-written loop is told it; refuses what that loop does not do."""
    game, loss = parts.game, options.loss.removesuffix("-gp")
    hooks = [h for player in game.players.values() for h in player.hooks]
    emas = [h for h in game.generator.hooks if isinstance(h, EMA)]
    penalties = {
        r.key: (getattr(r, "weight", getattr(r, "factor", None)), r.every) for r in game.regularizers
    }
    if options.loss == "wgan-gp":
        penalties["gradient-penalty"] = (game.loss.factor, 1)
    adams = {name: player.optimizer.param_groups[0] for name, player in game.players.items()}
    odd = {
        "game": type(game) is not StandardGame,
        "noise": type(parts.noise) is not GaussianNoise,
        "loss": loss not in LOSSES
        or bool(getattr(game.loss, "soft_labels", 0) or getattr(game.loss, "noise", 0)),
        "augment": bool(game.critic.augment),
        "regularizer": not set(penalties) <= {"r1", "r2", "gradient-penalty"},
        "hooks": hooks != emas or len(emas) > 1,
        "optimizer": not all(isinstance(p.optimizer, torch.optim.Adam) for p in game.players.values()),
    }
    if any(odd.values()):
        raise SystemExit(f"The hand-written loop lacks what this run does: {[k for k in odd if odd[k]]}.")
    return Work(
        loss, options.batch_size, options.state_size,
        {n: {key: adam[key] for key in ("lr", "betas", "eps", "weight_decay")} for n, adam in adams.items()},
        options.precision == "bf16", game.reuse_fakes, game.discriminator_iterations, game.generator_iterations,
        penalties.get("r1"), penalties.get("r2"), penalties.get("gradient-penalty"),
        (emas[0].decay, emas[0].ramp) if emas else None,
    )  # fmt: skip


def play(parts: Parts, turns: int) -> None:
    """Let Ganzo play some turns, in as many epochs as the data make of them."""
    until = parts.game.turns + turns
    while parts.game.turns < until:
        parts.game.max_batches_per_epoch = until - parts.game.turns
        parts.game.run_epoch(parts.data, parts.noise)


def difference(parts: Parts, loop: TunedLoop) -> float:
    """The largest difference between the weights, and averages, of the two sides."""
    game = parts.game
    pairs = [(game.generator.network, loop.generator), (game.discriminator.network, loop.discriminator)]
    pairs += [(game.generator.average, loop.average)] if loop.average is not None else []
    values = (zip(a.state_dict().values(), b.state_dict().values(), strict=True) for a, b in pairs)
    return max(float((a.double() - b.double()).abs().max()) for a, b in itertools.chain(*values))


def settled(options: Namespace, layout: bool, threads: int) -> Namespace:
    """A copy of the options with precision, layout and threads decided; the threads are set."""
    options = Namespace(**vars(options))
    Machine(
        device="cpu", precision=options.precision, channels_last=layout, threads=threads, tune=False
    ).settle(options)
    return options


def interval_of(parts: Parts) -> int:
    """The turns after which lazy penalties come round again."""
    return math.lcm(*(r.every for r in parts.game.regularizers))


def choose(options: Namespace, seconds: float, threads: list[int]) -> tuple[bool, int, float]:
    """The layout and number of threads in which the hand-written loop is quickest, and its seconds per turn."""
    pairs = {layout: ganzo_and_loop(settled(options, layout, threads[-1])) for layout in (False, True)}
    loops = {layout: loop for layout, (_, loop) in pairs.items()}
    interval = interval_of(pairs[False][0])
    best: dict[tuple[bool, int], float] = dict.fromkeys(itertools.product(loops, threads), math.inf)
    for _ in range(3):
        for choice in [c for c in best if best[c] == math.inf or best[c] <= HOPELESS * min(best.values())]:
            torch.set_num_threads(choice[1])
            end = time.perf_counter() + seconds
            while (begun := time.perf_counter()) < end:  # at least once
                loops[choice[0]].play(interval)
                best[choice] = min(best[choice], (time.perf_counter() - begun) / interval)
    (layout, number), quickest = min(best.items(), key=lambda item: item[1])
    return layout, number, quickest


def measure(name: str, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One row of the table, with every window's figures."""
    options, load = ROWS[name](folder), os.getloadavg()
    cores = len(os.sched_getaffinity(0))
    numbers = [args.threads] if args.threads else sorted({1, cores})
    layout, threads, seconds = choose(options, args.seconds / 10, numbers)
    options = settled(options, layout, threads)
    parts, loop = ganzo_and_loop(options)
    turns = max(1, round(args.seconds / seconds))
    interval = interval_of(parts)
    turns = interval * max(1, round(turns / interval))  # as many penalties in every window
    sides = {"ganzo": lambda n: play(parts, n), "hand": loop.play}
    for run in sides.values():
        run(min(turns, 2 * interval))  # first turns allocate
    images = turns * options.discriminator_iterations * options.batch_size
    windows: list[dict[str, float]] = []
    for number in range(args.rounds):
        times: dict[str, float] = {}
        for side in list(sides)[:: 1 if number % 2 == 0 else -1]:
            wall, cpu = time.perf_counter(), time.process_time()
            sides[side](turns)
            times[side] = images / (time.perf_counter() - wall)
            times[f"{side}_per_cpu_second"] = images / (time.process_time() - cpu)
        windows.append(times)
        note(f"{name}: round {number + 1} of {args.rounds}, {times['ganzo'] / times['hand']:.3f}")
    return summary(windows) | {
        "row": name, "threads": threads, "layout": "NHWC" if layout else "NCHW", "precision": options.precision,
        "batch_size": options.batch_size, "turns_per_window": turns, "weights_differ_by": difference(parts, loop),
        "load_before": load, "load_after": os.getloadavg(), "options": saveable(options), "windows": windows,
    }  # fmt: skip


def summary(windows: list[dict[str, float]]) -> dict[str, Any]:
    """Images per second of both sides, and their ratios."""
    found: dict[str, Any] = {}
    for side in ("ganzo", "hand"):
        found[f"{side}_best"] = max(w[side] for w in windows)
        found[f"{side}_median"] = statistics.median(w[side] for w in windows)
    ratios = sorted(w["ganzo"] / w["hand"] for w in windows)
    by_cpu = [w["ganzo_per_cpu_second"] / w["hand_per_cpu_second"] for w in windows]
    return found | {
        "ratio_best": found["ganzo_best"] / found["hand_best"],
        "ratio_paired": statistics.median(ratios),
        "ratio_spread": [ratios[0], ratios[-1]],
        "ratio_cpu_time": statistics.median(by_cpu),
    }


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows for people to read; images per second are best / median."""
    head = (
        "row",
        "set-up",
        "Ganzo images/s",
        "by hand images/s",
        "best",
        "paired",
        "spread",
        "CPU",
        "weights",
    )
    form = "{:<7} {:<21} {:>17} {:>17} {:>6} {:>6} {:>12} {:>6}  {}"
    yield form.format(*head)
    for r in rows:
        yield form.format(
            r["row"],
            f"{r['threads']} thr, {r['layout']}, {r['precision']}",
            *(f"{r[side + '_best']:.1f} / {r[side + '_median']:.1f}" for side in ("ganzo", "hand")),
            *(f"{r[key]:.3f}" for key in ("ratio_best", "ratio_paired")),
            "{:.2f} - {:.2f}".format(*r["ratio_spread"]),
            f"{r['ratio_cpu_time']:.3f}",
            "equal" if r["weights_differ_by"] == 0 else f"differ by {r['weights_differ_by']:.1e}",
        )


def machine() -> dict[str, Any]:
    """What was measured on, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return {
        "cpu": model or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ganzo": ganzo.__version__,
        "commit": git.stdout.strip(),
    }


def note(text: str) -> None:
    """Say how far the measurement is, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure the rows, print the table, and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.step", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS), help="which rows, with commas (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="windows of each side (%(default)s)")
    parser.add_argument("--threads", type=int, help="for both sides; none to let the trial choose")
    parser.add_argument("--record", type=Path, help="JSON file for every figure")
    args = parser.parse_args(arguments)
    names = args.rows.split(",")
    if unknown := set(names) - set(ROWS):
        parser.error(f"there is no row `{unknown.pop()}`; choose among {', '.join(ROWS)}")
    before, start = os.getloadavg(), time.time()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, args, Path(folder)) for name in names]
    note("")
    print("\n".join(table(rows)))
    if args.record:
        record = {
            "command": "python -m benchmarks.step " + " ".join(arguments or sys.argv[1:]),
            "began": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(start)),
            "seconds": round(time.time() - start),
            "machine": machine(),
            "load_before": before,
            "load_after": os.getloadavg(),
            "seed": SEED,
            "rows": rows,
        }
        args.record.parent.mkdir(parents=True, exist_ok=True)
        args.record.write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
        args.record.with_suffix(".md").write_text(page(record), encoding="utf-8")
    return rows


def page(record: dict[str, Any]) -> str:
    """The record as a page."""
    about, load = record["machine"], record["load_before"][0]
    return (
        "# One step, against a hand-written loop of the same networks\n\n"
        f"`{record['command']}`, {record['began']}, {record['seconds']} s, {about['cores']} cores ({about['cpu']}),"
        f" torch {about['torch']}; load average {load:.2f} before. Images/s are best / median of the windows;"
        " `paired` is the median ratio of windows side by side, `CPU` the ratio by CPU time; `weights` says whether"
        " both sides ended with the same weights.\n\n```\n" + "\n".join(table(record["rows"])) + "\n```\n"
    )


if __name__ == "__main__":
    main()
