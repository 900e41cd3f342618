"""Whether a run survives `kill -9`: killed at random moments, restored each time, it must end with the same weights.

    python -m benchmarks.kill [--kills 50] [--seed 0] [--record FILE]

A short run on the embedded digits is a process of its own, as a user starts it. It is killed by SIGKILL at a moment
that is drawn uniformly over the whole life of an undisturbed one (loading, training, leaving), and then started again:
by `--restore` where there is something to restore, else as at first. What a run ends with is compared, byte for byte,
with what the undisturbed run ended with: the weights for users, and those of the newest checkpoint. A run that ends
before it is killed is followed by a fresh one, until there were as many kills as asked for.
"""

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.step import machine

RUN = [  # tiny networks, and much that must be restored: several turns an epoch, streams, averages, spectral norm
    *(
        "--experiment run --dataset digits --image-size 16 --image-colors 1 --batch-size 16 --state-size 16".split()
    ),
    *("--generator conv --generator-channels 8 --generator-hook ema --discriminator conv".split()),
    *("--discriminator-spectral-norm --augment diffaugment --regularizer r1 --r1-every 4".split()),
    *("--discriminator-iterations 2 --max-batches-per-epoch 12 --epochs 10 --seed 1 --log file".split()),
    *("--sample-every 2 --checkpoint-every 0.05 --precision fp32 --no-channels-last --threads 1".split()),
]


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the run, or go on with it, in a process of its own."""
    there = (folder / "models/run/options.json").exists()
    words = [sys.executable, "-m", "ganzo", "train", *RUN, *(["--restore"] if there else [])]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str], seconds: float | None = None) -> bool:
    """Wait for a process, so many seconds at most; then kill it. Returns whether it ended by itself."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    if process.returncode:
        raise SystemExit(f"The run ended with status {process.returncode}:\n{said}")
    return True


def age(checkpoint: Path) -> list[int]:
    """Finished epochs and turns of a checkpoint: a turn that ends an epoch may have one before and one after."""
    return [int(part) for part in checkpoint.name.split("-")]


def weights(folder: Path) -> dict[str, str]:
    """The checksums of what a run ended with, by file."""
    run = folder / "models" / "run"
    newest = max((run / "checkpoints").glob("[0-9]*-*"), key=age)
    files = sorted([*run.glob("*.safetensors"), *newest.glob("*.safetensors")])
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def phase(folder: Path, pid: int) -> str:
    """What a killed process was doing, as far as its folder tells."""
    run = folder / "models" / "run"
    lock = run / "lock"
    if not lock.exists() or lock.read_text() != str(pid):
        return "starting"
    if not (run / "options.json").exists():
        return "before options.json"
    if any((run / "checkpoints").glob(".*.tmp")):
        return "writing a checkpoint"
    if any(run.glob(".*.tmp")):
        return "writing weights"
    finished = sorted((run / "checkpoints").glob("[0-9]*-*"), key=age)
    return f"after checkpoint {finished[-1].name}" if finished else "before the first checkpoint"


def measure(kills: int, seed: int, say: Any = print) -> dict[str, Any]:
    """Kill runs so many times; returns what happened, and whether every run ended as the undisturbed one."""
    draw, moments, runs = random.Random(seed), list[dict[str, Any]](), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as root:
        undisturbed = Path(root) / "undisturbed"
        undisturbed.mkdir()
        began = time.monotonic()
        finish(start(undisturbed))
        life, expected = time.monotonic() - began, weights(undisturbed)
        say(f"undisturbed: {life:.1f} s, {len(expected)} files of weights")
        while len(moments) < kills or not runs or "equal" not in runs[-1]:
            if not runs or "equal" in runs[-1]:
                runs.append({"kills": 0})
                folder = Path(root) / f"run{len(runs)}"
                folder.mkdir()
            after = draw.uniform(0, life) if len(moments) < kills else None
            process = start(folder)
            if finish(process, after):
                found = weights(folder)
                runs[-1] |= {"equal": found == expected, "sha256": found}
                say(
                    f"run {len(runs)}: {runs[-1]['kills']} kills, {'equal' if found == expected else 'DIFFERENT'}"
                )
            else:
                moments.append({"run": len(runs), "seconds": after, "phase": phase(folder, process.pid)})
                runs[-1]["kills"] += 1
                say(f"kill {len(moments)}: after {after:.2f} s, {moments[-1]['phase']}")
    equal = all(run["equal"] for run in runs)
    return {
        "undisturbed": {"seconds": life, "sha256": expected},
        "kills": moments,
        "runs": runs,
        "equal": equal,
    }


def main(words: list[str] | None = None) -> int:
    """Measure, print, and write the record; the exit status is 1 where a run ended with other weights."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kill", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--kills", type=int, default=50, help="how many times a process is killed")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--record", type=Path, help="JSON file for every moment, and the result")
    given = parser.parse_args(words)
    began, when = time.monotonic(), datetime.now(UTC)
    result = measure(given.kills, given.seed)
    print(
        f"{len(result['kills'])} kills in {len(result['runs'])} runs:"
        f" {'every run ended with the weights of the undisturbed one' if result['equal'] else 'WEIGHTS DIFFER'}"
    )
    if given.record:
        record = {
            "command": f"python -m benchmarks.kill --kills {given.kills} --seed {given.seed}",
            "run": ["ganzo", "train", *RUN],
            "date": when.isoformat(timespec="seconds"),
            "seconds": time.monotonic() - began,
            "machine": machine(),
            **result,
        }
        given.record.parent.mkdir(parents=True, exist_ok=True)
        given.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0 if result["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
