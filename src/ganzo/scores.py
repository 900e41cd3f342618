"""The scores of a stored run, each with its protocol: what was measured in different ways is never one score."""

import dataclasses
import json
from typing import Any

from ganzo.nn.protocol import BESIDE, protocol_of
from ganzo.registry import Registry
from ganzo.stored import StoredRun, epoch_of, is_score, number, short

# where no metric has the score's name
HIGHER = (
    "is",
    "precision",
    "recall",
    "density",
    "coverage",
    "accuracy",
)
LOWER = ("fid", "kid", "fd", "ifid", "mmd", "distance")
SPREAD, REAL = "_std", "_real"  # what stands beside a score: its deviation, and the same of real against real

NOTE = "real_against_real"  # of a protocol: how that number was measured


@dataclasses.dataclass
class Score:
    """One number that was measured in one way, over the epochs of a run.

    Attributes:
        name: for people
        protocol: how it was measured
        told: whether the run's records tell the protocol; else it is put together from the run's options
        higher: whether more is better; None where that is not known
        points: epoch, value, deviation and the value of real against real; None for what is not there
    """

    name: str
    protocol: dict[str, Any]
    told: bool
    higher: bool | None
    points: list[tuple[int, float | None, float | None, float | None]]

    @property
    def key(self) -> str:
        """The same for scores that may be compared."""
        protocol = {key: value for key, value in self.protocol.items() if key not in BESIDE}
        return json.dumps([self.name, self.told, protocol], sort_keys=True, default=str)

    @property
    def shown(self) -> dict[str, Any]:
        """The protocol, without what tells of real against real."""
        return {key: value for key, value in self.protocol.items() if key != NOTE}

    @property
    def orders(self) -> float:
        """From which ratio of its values on a chart is logarithmic: a distance falls steeply, then slowly."""
        return 100 if self.higher is not False else 10

    @property
    def real(self) -> float | None:
        """The same score of real examples against real ones; it is measured once in a run."""
        return next((point[3] for point in reversed(self.points) if point[3] is not None), None)

    @property
    def curve(self) -> list[tuple[int, float | None]]:
        """Epoch and value."""
        return [point[:2] for point in self.points]

    @property
    def last(self) -> tuple[int, float | None, float | None, float | None]:
        """The newest measurement."""
        return self.points[-1]

    @property
    def best(self) -> tuple[int, float | None, float | None, float | None] | None:
        """The best measurement; None where it is not known which way is better."""
        finite = [point for point in self.points if point[1] is not None]
        if self.higher is None or not finite:
            return None
        sign = 1 if self.higher else -1
        return max(finite, key=lambda point: sign * (point[1] or 0.0))


def scores_of(run: StoredRun) -> list[Score]:
    """All scores of a run: one for each name and protocol."""
    found: dict[str, Score] = {}
    for index, line in run.numbered:
        for key in filter(is_score, line):
            base = next((key.removesuffix(end) for end in (SPREAD, REAL) if key.endswith(end)), None)
            if base is not None and (base in line or f"{base}_mean" in line):
                continue  # it stands beside its score
            if line[key] is not None and number(line[key]) is None:
                continue  # a text, or something deeper
            stem = key.removesuffix("_mean")
            spread, real = (number(line.get(stem + end)) for end in (SPREAD, REAL))
            protocol, told = measured_as(line, key, run)
            score = Score(short(key), protocol, told, direction(short(key)), [])
            score = found.setdefault(score.key, score)
            score.points.append((epoch_of(index, line), number(line[key]), spread, real))
    return list(found.values())


def measured_as(line: dict[str, Any], key: str, run: StoredRun) -> tuple[dict[str, Any], bool]:
    """How a score was measured, and whether the record tells it; an object may hold one for each score."""
    if told := protocol_of(line.get("protocol"), short(key)):
        return told, True
    asked = {"samples": run.options.get("metrics_samples"), "image_size": run.facts.get("image_size")}
    return asked | {"data": run.facts.get("data") or run.options.get("dataset")}, False


def direction(name: str) -> bool | None:
    """Whether more is better, as the metric of that name says; None where nobody knows."""
    words = name.split("_")
    for candidate in dict.fromkeys((name, words[0])):
        # never a path: a record may hold any name, and none runs code
        if candidate not in Registry.keys("metric"):
            continue
        told = getattr(Registry.lookup("metric", candidate), "higher_is_better", None)
        if told is not None:
            return bool(told)
    if {*words} & {*LOWER}:
        return False
    return True if {*words} & {*HIGHER} else None


def differences(protocols: list[dict[str, Any]]) -> str:
    """In what protocols differ: `samples: 500, 1000`."""
    keys = [key for key in dict.fromkeys(key for each in protocols for key in each) if key not in BESIDE]
    parts = []
    for key in keys:
        values = list(dict.fromkeys(text(protocol.get(key)) for protocol in protocols))
        if len(values) > 1:
            parts.append(f"{key.replace('_', ' ')} {' or '.join(values)}")
    return "; ".join(parts) or "only some say how they were measured"


def text(value: Any) -> str:
    """A value for people."""
    if isinstance(value, dict):
        parts = {key.replace("_", " "): text(inner) for key, inner in value.items()}
        return ", ".join(f"{key} {inner}" for key, inner in parts.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and len(value) >= 32 and not set(value) - set("0123456789abcdef"):
        return f"{value[:12]}…"  # a checksum; its beginning tells it from others
    return "none" if value is None else str(value)
