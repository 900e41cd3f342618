"""Metric `prdc`."""

from typing import Any

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.nn.distances import density_coverage, precision_recall
from ganzo.registry import Count, OptionError, register


@register("metric", "prdc")
class PRDC(Comparison):
    """Improved precision and recall, density and coverage: quality and diversity apart, by nearest neighbours.

    `precision`: the share of fakes near a real example; `recall`: the share of real examples near a fake; `coverage`:
    the share of real examples that have a fake nearby. These lie from 0 to 1. `density`: how many real neighbourhoods
    hold a fake, over what is expected; it may be above 1. The higher the better. At least 20 images of each kind;
    scores with different counts cannot be compared.

    Args:
        k: neighbour to which balls reach for precision and recall
        density_k: the same for density and coverage
        samples: images of each kind that are looked at

    Paper: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019,
    https://arxiv.org/abs/1904.06991 (precision, recall); Naeem et al., "Reliable Fidelity and Diversity Metrics for
    Generative Models", 2020, https://arxiv.org/abs/2002.09797 (density, coverage)
    """

    higher_is_better = True
    minimum_samples = 20
    needs = frozenset({"features"})

    def __init__(self, *, k: Count = 3, density_k: Count = 5, samples: Count = 10000) -> None:
        most = min(samples, self.minimum_samples) - 1
        for name, value in (("k", k), ("density-k", density_k)):
            if value > most:
                raise OptionError(
                    f"`--prdc-{name}` must be below the number of images, and at most {most}; got {value}."
                )
        self.k, self.density_k, self.keeps = k, density_k, samples

    def settings(self) -> dict[str, Any]:
        return {"k": self.k, "density_k": self.density_k, "samples": self.keeps}

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        assert real is not None, "it compares"
        sets = real.features(self.keeps), fake.features(self.keeps)
        precision, recall = precision_recall(*sets, self.k)
        density, coverage = density_coverage(*sets, self.density_k)
        return {"precision": precision, "recall": recall, "density": density, "coverage": coverage}
