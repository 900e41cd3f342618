"""Every metric as an evaluation: the best epoch of a run is the one with that metric's best score."""

import functools
import math
import sys
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from ganzo.evaluation import Record
from ganzo.nn import record
from ganzo.nn.protocol import BESIDE, differences, protocol_of
from ganzo.nn.ranks import ranks
from ganzo.registry import OptionError, Registry


class MetricEvaluation(Record):
    """Takes the epoch with the best score of a metric for the best one; an epoch without a score is no better.

    Only scores of one protocol are compared: when it changes, the best score is sought anew.

    Args:
        measured: the metrics that the run measures; as a mapping, with the number that is each one's own score

    Attributes:
        metric: the name of the metric, as `--metrics` has it
        higher: which way its score improves
    """

    metric: ClassVar[str]
    higher: ClassVar[bool]

    def __init__(self, *, measured: Collection[str] | None = None):
        if measured is not None and self.metric not in measured:
            raise OptionError(
                f"`--evaluation-criterion {self.metric}` needs `--metrics {self.metric}`; this run measures"
                f" {', '.join(measured) or 'nothing'}. Add it."
            )
        self.scores = measured if isinstance(measured, Mapping) else {}
        self.told: Any = None  # how the newest scores were measured
        self.protocol: dict[str, Any] | None = None  # how the best score was; None where nobody said
        super().__init__(plain(self.metric.rpartition(":")[2]), self.higher)

    def measured_by(self, protocol: Any) -> None:
        """Take note of how the scores of an epoch were measured, by name; it comes before `has_improved`."""
        self.told = protocol

    def has_improved(self, losses: dict[str, float]) -> bool:
        alike = (n for n in losses if plain(n) == self.key or plain(n).startswith(f"{self.key}_"))
        own = self.scores.get(self.metric) or next(alike, "")
        if own in losses and (protocol := protocol_of(self.told, own)):
            self.compare_by(protocol)
        return super().has_improved({self.key: losses[own]} if own in losses else {})

    def compare_by(self, protocol: dict[str, Any]) -> None:
        """Forget the best score if it was measured by another protocol."""
        new = record.plain({key: value for key, value in protocol.items() if key not in BESIDE})
        changed = [each.partition(":")[0] for each in differences(self.protocol or new, new)]
        self.protocol = new
        if changed and self.best > -math.inf and ranks().leads:
            text = f"the best `{self.metric}` so far was measured otherwise ({', '.join(changed)})"
            print(f"ganzo: {text}; counting starts anew.", file=sys.stderr, flush=True)
        if changed:
            self.best = -math.inf

    def state_dict(self) -> dict[str, Any]:
        """The best number so far, and how it was measured."""
        return super().state_dict() | ({} if self.protocol is None else {"protocol": self.protocol})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.protocol = state.get("protocol")  # older states have none


def plain(name: str) -> str:
    """A name in one of its spellings: the score of `Far-Off` is `far_off`."""
    return name.replace("-", "_").lower()


@functools.cache
def evaluation_by(name: str, cls: type) -> type[MetricEvaluation] | None:
    """The evaluation by a metric of that name; none for a class that is no metric."""
    if not hasattr(cls, "compute") or hasattr(cls, "has_improved"):
        return None
    own = f"{cls.__name__.removesuffix('Metric')}Evaluation"
    text = (
        f"Takes the epoch with the best score of `{name}` for the best one; `--metrics {name}` measures it."
    )
    higher = getattr(cls, "higher_is_better", True)
    said = {"__doc__": f"{text}\n", "__module__": __name__, "metric": name, "higher": higher}
    return type(own, (MetricEvaluation,), said)


Registry.derive("evaluation", "metric", evaluation_by)


def __getattr__(name: str) -> Any:
    """The class of each metric's evaluation by its own name."""
    if not name.startswith("_"):
        for key in Registry.keys("metric"):
            found = Registry.lookup("evaluation", key)
            if found.__name__ == name:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
