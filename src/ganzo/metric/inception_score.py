"""Metric `is`."""

from typing import Any

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.nn.distances import inception_score
from ganzo.registry import Count, OptionError, register


@register("metric", "is")
class InceptionScore(Comparison):
    """Inception Score, exp E[KL(p(y|x) ‖ p(y))]: whether samples are read as one class each, and together as all.

    `is_mean` is the mean over the splits, `is_std` their deviation; from 1 to the number of classes, the higher the
    better. It never looks at real images. At least 20 samples; with few in a split it is too low.

    Args:
        splits: parts of the samples that are scored each by itself

    Paper: Salimans et al., "Improved Techniques for Training GANs", 2016, https://arxiv.org/abs/1606.03498
    """

    higher_is_better = True
    minimum_samples = 20
    needs_real = False
    needs = frozenset({"logits"})

    def __init__(self, *, splits: Count = 10) -> None:
        self.splits = splits

    def settings(self) -> dict[str, Any]:
        return {"splits": self.splits}

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        if fake.logits is None:
            raise OptionError(
                "`--metrics is` needs features that read classes; choose `--metrics-features classifier` (data with"
                " labels) or `inception`."
            )
        if fake.count < self.splits:
            raise OptionError(
                f"`--metrics is` needs an image for each of its {self.splits} splits; got {fake.count}. Lower"
                " `--is-splits`."
            )
        mean, deviation = inception_score(fake.logits, self.splits)
        return {"is_mean": mean, "is_std": deviation}
