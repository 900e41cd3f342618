"""Records of measurements: a JSON file with every figure, and a page with the tables, row by row.

A record is written after every row, and a row that is measured again takes the place of the old one. Each row knows by
which command, when, on what machine and under what load it was measured.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

import ganzo

Rows = Mapping[str, dict[str, Any]]


def machine() -> dict[str, Any]:
    """What was measured on, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    found = {
        "cpu": model or platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ganzo": ganzo.__version__,
        "commit": commit(),
    }
    return found | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def commit() -> str:
    """The commit of the code that is measured, `-dirty` where something but a record was changed since."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True)
        return done.stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)benchmarks/records"
    )
    return git("rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")


class Record:
    """The rows of one benchmark.

    Args:
        path: the JSON file, beside which the page lies; none to keep the rows to oneself
        module: the benchmark, as `benchmarks.step`
        page: from rows to the text of the page, below its title
        order: in what order rows stand
        words: the command line, for the stamp of each row
    """

    def __init__(
        self,
        path: Path | None,
        module: str,
        page: Callable[[Rows], str],
        order: Iterable[str],
        words: list[str] | None,
    ):
        self.path, self.page, self.order = path, page, list(order)
        self.command = shlex.join(["python", "-m", module, *(sys.argv[1:] if words is None else words)])
        self.machine = machine()
        self.rows: dict[str, dict[str, Any]] = {}
        if path is not None and path.is_file():
            self.rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        there = {key: self.machine.get(key) for key in ("cpu", "gpu")}
        if any({key: self.machine_of(row).get(key) for key in there} != there for row in self.rows.values()):
            raise SystemExit(f"`{path}` holds rows of another machine; choose another file, or remove it.")

    @staticmethod
    def machine_of(row: dict[str, Any]) -> dict[str, Any]:
        """The machine that a row was measured on."""
        return row["measured"]["machine"]

    def missing(self, names: Iterable[str]) -> list[str]:
        """The rows among these that were not yet measured with the code that lies here."""
        return [n for n in names if n not in self.rows or self.machine_of(self.rows[n]) != self.machine]

    def add(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Measure a row, and write the record."""
        began, load = time.time(), os.getloadavg()[0]
        note(f"{name} …")
        row = measure()
        row["measured"] = {
            "command": self.command,
            "began": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
            "seconds": round(time.time() - began, 1),
            "load_before": round(load, 2),
            "machine": self.machine,
        }
        rows = self.rows | {name: row}
        order = [*self.order, *(n for n in rows if n not in self.order)]
        self.rows = {n: rows[n] for n in order if n in rows}
        self.write()
        return row

    def write(self) -> None:
        """Write the rows and their page."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"rows": rounded(self.rows)}, indent=1, default=str) + "\n"
        for path, content in ((self.path, text), (self.path.with_suffix(".md"), self.text())):
            temporary = path.with_suffix(path.suffix + ".tmp")
            temporary.write_text(content, encoding="utf-8")
            os.replace(temporary, path)

    def text(self) -> str:
        """The page: the tables, and under what circumstances the rows came about."""
        return self.page(self.rows) + "\n" + "\n".join(circumstances(self.rows)) + "\n"


def circumstances(rows: Rows) -> Iterator[str]:
    """For each command, machine and commit: when it was measured, how long it took, and beside what load."""
    groups: dict[str, list[str]] = {}
    for name, row in rows.items():
        groups.setdefault(json.dumps([row["measured"]["command"], row["measured"]["machine"]]), []).append(
            name
        )
    for names in groups.values():
        stamps = [rows[name]["measured"] for name in names]
        about, loads = stamps[0]["machine"], [stamp["load_before"] for stamp in stamps]
        which = "" if len(groups) == 1 else f" ({', '.join(names)})"
        gpu = f", {about['gpu']}" if "gpu" in about else ""
        yield (
            f"`{stamps[0]['command']}`{which}: from {min(s['began'] for s in stamps)},"
            f" {sum(s['seconds'] for s in stamps):.0f} s, {about['cores']} cores ({about['cpu']}){gpu}, Python"
            f" {about['python']}, torch {about['torch']}, commit {about['commit']}; load average before a row"
            f" {min(loads):.1f} to {max(loads):.1f}.\n"
        )


def rounded(value: Any) -> Any:
    """Figures with six digits, and whatever holds them."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value


def table(head: list[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def note(text: str) -> None:
    """Say how far the measurement is."""
    print(f"\r\033[K{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


def parser_of(
    module: str,
    about: str,
    rows: Iterable[str],
    rounds: int = 0,
    seconds: float = 0.0,
    *,
    device: bool = True,
    threads: bool = True,
) -> Any:
    """A command line with what the benchmarks share; without rounds it knows neither these nor their length."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about.split("\n")[0])
    parser.add_argument("--rows", default=",".join(rows), help="which rows, with commas (%(default)s)")
    parser.add_argument("--record", type=Path, help="JSON file for every figure; rows that it holds are kept")
    parser.add_argument(
        "--resume", action="store_true", help="leave out rows that the record has of this commit"
    )
    parser.add_argument("--quick", action="store_true", help="a try: too short to be believed")
    if device:
        parser.add_argument("--device", help="where to compute; none for a CUDA device where there is one")
    if threads:
        parser.add_argument("--threads", type=int, help="threads of every side; none to let a trial choose")
    if rounds:
        parser.add_argument("--seconds", type=float, default=seconds, help="of a window (%(default)s)")
        parser.add_argument("--rounds", type=int, default=rounds, help="windows of each side (%(default)s)")
    return parser


def rows_asked(parser: Any, args: argparse.Namespace, known: Iterable[str], record: Record) -> list[str]:
    """The names in `--rows`, without those that a resumed record has."""
    names = [name for name in args.rows.split(",") if name]
    if unknown := set(names) - set(known):
        parser.error(f"there is no row `{unknown.pop()}`; choose among {', '.join(known)}")
    return record.missing(names) if args.resume else names
