"""All benchmarks of speed, with their records: `python -m benchmarks [--quick] [--records FOLDER] [--resume]`.

Each is a process of its own, and a program too: `python -m benchmarks.step --help` and so on. A record is written row
by row, so that a run that was cut off goes on with `--resume`. `--quick` is a try of a few minutes whose figures are
not to be believed; its records go into a folder only where one is named.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import torch

NAMES = ("step", "levers", "pipeline", "startup", "growth", "ranks", "memory")
ON_THE_CPU = ("memory",)  # wherever the others compute
HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run them; returns how many failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(NAMES), help="which, with commas (%(default)s)")
    parser.add_argument(
        "--records", type=Path, help="folder of the records (benchmarks/records; none with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="a try: too short to be believed")
    parser.add_argument(
        "--resume", action="store_true", help="leave out rows that the records have of this commit"
    )
    parser.add_argument("--device", help="where to compute; none for a CUDA device where there is one")
    args = parser.parse_args(arguments)
    names = args.only.split(",")
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark `{unknown.pop()}`; choose among {', '.join(NAMES)}")
    folder = args.records or (None if args.quick else HERE / "records")
    failed, start = 0, time.monotonic()
    for name in names:
        words = [f"benchmarks.{name}", *words_for(name, folder, args)]
        print(f"=== {' '.join(words)}", flush=True)
        failed += bool(subprocess.run([sys.executable, "-m", *words]).returncode)
    print(f"=== {len(names) - failed} of {len(names)} done in {(time.monotonic() - start) / 60:.1f} minutes")
    return failed


def words_for(name: str, folder: Path | None, args: argparse.Namespace) -> list[str]:
    """What one benchmark is told."""
    words = [f"--{word}" for word in ("quick", "resume") if getattr(args, word)]
    asked = name not in ON_THE_CPU
    words += ["--device", args.device] if args.device and asked else []
    if folder is not None:
        cuda = asked and (
            torch.device(args.device).type == "cuda" if args.device else torch.cuda.is_available()
        )
        path = folder / f"{name}{'-cuda' if cuda else ''}.json"  # beside the record of a machine without
        inside = path.is_relative_to(Path.cwd())
        words += ["--record", str(path.relative_to(Path.cwd()) if inside else path)]
    return words


if __name__ == "__main__":
    sys.exit(main())
