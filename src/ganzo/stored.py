"""A stored run as its folders tell it: options, environment, numbers by epoch, pictures, and sizes of networks."""

import dataclasses
import json
import math
import struct
from pathlib import Path
from typing import Any

from ganzo.files import read_file
from ganzo.folder import find_run, output_of
from ganzo.nn.record import is_beside
from ganzo.results import read_records

BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "_u", "_v")  # saved, but not learnt


@dataclasses.dataclass
class StoredRun:
    """What a run left: its own words, and what follows from them."""

    name: str
    folder: Path
    output: Path
    options: dict[str, Any]
    environment: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return len(self.lines)

    @property
    def facts(self) -> dict[str, Any]:
        """What the data decided."""
        facts = self.environment.get("facts")
        return facts if isinstance(facts, dict) else {}

    @property
    def seconds(self) -> float:
        """Time of training."""
        return sum(value for line in self.lines if (value := number(time_of(line))) is not None)

    @property
    def images_per_second(self) -> float | None:
        """Real images that were judged in a second, over the whole run."""
        pairs = [(number(time_of(line)), number(line.get("images_per_second"))) for line in self.lines]
        images = sum(time * rate for time, rate in pairs if time is not None and rate is not None)
        return images / self.seconds if self.seconds else None

    @property
    def state(self) -> tuple[str, str]:
        """A word for how the run stands, and a sentence."""
        wanted, limit = self.options.get("epochs"), self.options.get("max_seconds")
        at = f"{self.epochs} of {wanted} epochs"
        if is_held(self.folder / "lock"):
            return "training", f"Still being trained: {at} so far."
        if isinstance(wanted, int) and self.epochs >= wanted:
            return "finished", f"Finished: {at}."
        if isinstance(limit, int | float) and self.seconds >= 0.9 * limit:
            return "finished", f"Ended by its limit of {limit:g} seconds: {at}."
        return "interrupted", f"Interrupted after {at}; `ganzo train --restore` goes on."

    @property
    def parameters(self) -> dict[str, int]:
        """How many weights each network has, by name."""
        paths = sorted(self.folder.glob("*.safetensors"), reverse=True)  # the generator first
        found = {path.stem: count_parameters(path) for path in paths}
        return {name: count for name, count in found.items() if count is not None}

    def snapshots(self) -> list[tuple[int, Path]]:
        """The pictures that were drawn while training, by the number of their epoch."""
        found = []
        for path in (self.output / "samples").glob("epoch_*.png"):
            text = path.stem.removeprefix("epoch_")
            if text.isascii() and text.isdecimal():
                found.append((int(text), path))
        return sorted(found)

    def losses(self) -> dict[str, list[tuple[int, float | None]]]:
        """The losses by name of their player, over the epochs; None where one is infinite or undefined."""
        names = dict.fromkeys(key for line in self.lines for key in line if is_loss(key))
        return {
            short(name): [
                (epoch_of(i, line), number(line[name])) for i, line in self.numbered if name in line
            ]
            for name in names
        }

    def setting(self, key: str) -> Any:
        """The value of an option, also where it belongs to one of several components; None where there is none."""
        lists = [value for value in self.options.values() if isinstance(value, list)]
        items = [item for value in lists for item in value if isinstance(item, dict)]
        return self.options.get(key, next((item[key] for item in items if key in item), None))

    def named(self, role: str) -> str:
        """The names of what fills a role, for people."""
        value = self.options.get(role)
        found = value if isinstance(value, list) else [value]
        names = [str(item.get("name") if isinstance(item, dict) else item) for item in found]
        return " + ".join(names) or "none"

    @property
    def numbered(self) -> list[tuple[int, dict[str, Any]]]:
        """The lines, with their number counted from 1."""
        return list(enumerate(self.lines, 1))


def read_run(name: str, model_dir: Path) -> StoredRun:
    """Read what a run left; one that has hardly begun has little.

    Args:
        name: of the experiment, or the path of either of its folders
        model_dir: where runs keep their weights
    """
    folder = find_run(name, model_dir)
    options = read_file(folder / "options.json")
    output = output_of(folder, Path(str(options.get("output_dir", "output")))) / folder.name
    environment = {}
    if (folder / "environment.json").is_file():
        environment = read_file(folder / "environment.json")
    named = str(options.get("experiment"))
    called = named if Path(named).name == folder.name else folder.name  # it may hold a trial: `name/7`
    return StoredRun(called, folder, output, options, environment, read_records(output / "results.json"))


def number(value: Any) -> float | None:
    """A finite number that can be drawn, or None."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e300:
        return None
    return float(value) if abs(value) > 1e-300 else 0.0


def time_of(line: dict[str, Any]) -> Any:
    """The seconds of an epoch."""
    return line.get("time", line.get("seconds"))


def epoch_of(index: int, line: dict[str, Any]) -> int:
    """The number of a line's epoch; its place where it tells none."""
    value = number(line.get("epoch"))
    return index if value is None else int(value)


def is_loss(key: str) -> bool:
    """Whether a key of a record names a loss."""
    return key in ("generator", "discriminator") or (key.startswith("train_") and key.endswith("_loss"))


def is_score(key: str) -> bool:
    """Whether a key of a record names a score."""
    return not (is_loss(key) or is_beside(key) or key in ("time", "protocol"))


def short(key: str) -> str:
    """A name for people: `train_g_loss` is the generator's, `train_fid_mean` is `fid`."""
    name = key.removeprefix("train_").removesuffix("_loss").removesuffix("_mean")
    return {"g": "generator", "d": "discriminator"}.get(name, name)


def count_parameters(path: Path) -> int | None:
    """How many weights a file of safetensors holds, read off its header; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(size, 100_000_000)))
        shapes = [
            value["shape"]
            for key, value in header.items()
            if key != "__metadata__" and not key.endswith(BUFFERS)
        ]
        return sum(math.prod(shape) for shape in shapes)
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError):
        return None


def is_held(path: Path) -> bool:
    """Whether a process holds a run's lock."""
    try:
        import fcntl

        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
    except (ImportError, OSError):  # no such locks on this system, or no lock yet
        pass
    return False
