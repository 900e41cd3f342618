"""Metrics: numbers about samples."""

from abc import ABC, abstractmethod
from argparse import Namespace
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from ganzo.nn.collected import Collected, Seen, as_seen
from ganzo.registry import Facade, build, chosen, lazily, role_of

if TYPE_CHECKING:
    from ganzo.metric.metrics import Metrics


class Metric(Facade, ABC):
    """A number, or several, about generated images.

    Attributes:
        features: the name of what is looked at in an image (a component of the namespace `features`); empty for what
            `--metrics-features` says
        higher_is_better: which way the score improves
        minimum_samples: with fewer images the number means nothing
        needs_real: whether it compares with real examples
    """

    namespace: ClassVar[str] = "metric"
    features: ClassVar[str]
    higher_is_better: ClassVar[bool]
    minimum_samples: ClassVar[int] = 1
    needs_real: ClassVar[bool] = True

    @abstractmethod
    def update(
        self, real_features: Tensor | None, fake_features: Tensor, labels: Tensor | None = None
    ) -> None:
        """Take in the features of some images; `labels` are the classes that the fakes were asked for."""

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """The scores of all that was taken in since the last time, by name; the first one is the metric's own."""

    @classmethod
    def from_options(cls, options: Namespace, *parts: Any, **offered: Any) -> "Metrics":
        """All chosen metrics, to be measured together."""
        import ganzo.metric.metrics  # noqa: F401  # which imports this page

        names = [item.name for item in chosen(options, role_of("metric"))]
        measured = super().from_options(options, *parts, **offered)
        return build("common", "metrics", options, dict(zip(names, measured, strict=True)))


class Comparison(Metric):
    """A metric whose score follows from what was collected of two sets; it keeps nothing itself.

    By itself it also takes features batch by batch: `update` any number of times, then `compute`.

    Attributes:
        needs: what it needs of a set: `moments`, `class-moments`, `features`, `logits`
        keeps: how many features it looks at
        uses_covariance: whether too few images make it biased
    """

    features: ClassVar[str] = ""
    needs: ClassVar[frozenset[str]] = frozenset()
    keeps: int = 0
    uses_covariance: ClassVar[bool] = False
    _sets: tuple[Collected, Collected] | None = None

    @abstractmethod
    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        """The scores of fakes beside real examples; the first one is the metric's own."""

    def settings(self) -> dict[str, Any]:
        """What its score depends on, for the protocol."""
        return {}

    def update(
        self,
        real_features: Tensor | Seen | None,
        fake_features: Tensor | Seen,
        labels: Tensor | None = None,
        real_labels: Tensor | None = None,
    ) -> None:
        real, fake = self._sets = self._sets or (Collected(self.needs), Collected(self.needs))
        fake.add(as_seen(fake_features), labels)
        if real_features is not None:
            real.add(as_seen(real_features), real_labels)

    def compute(self) -> dict[str, float]:
        assert self._sets is not None, "`update` comes first"
        (real, fake), self._sets = self._sets, None
        return self.score(real if self.needs_real else None, fake)


__getattr__ = lazily(__name__)  # `from ganzo.metric import …` finds the classes in this room's files
