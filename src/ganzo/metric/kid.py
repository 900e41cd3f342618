"""Metric `kid`."""

from typing import Any

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.nn.distances import kernel_distance
from ganzo.registry import Count, register


@register("metric", "kid")
class KID(Comparison):
    """The squared maximum mean discrepancy between features, with the kernel (xᵀy / F + 1)³.

    Unbiased: 0 on average where both distributions are the same (single values may be below), the lower the better, and
    comparable between different numbers of images. At least 20 images; 1,000 or more say something.

    Args:
        subsets: random subsets over which it is averaged
        subset_size: images in each subset; no more than there are
        samples: images of each kind from which subsets are drawn

    Paper: Bińkowski et al., "Demystifying MMD GANs", 2018, https://arxiv.org/abs/1801.01401
    """

    higher_is_better = False
    minimum_samples = 20
    needs = frozenset({"features"})

    def __init__(self, *, subsets: Count = 100, subset_size: Count = 1000, samples: Count = 50000) -> None:
        self.subsets, self.subset_size, self.keeps = subsets, subset_size, samples
        self.used = subset_size  # of the last score

    def settings(self) -> dict[str, Any]:
        return {"subsets": self.subsets, "subset_size": self.used, "samples": self.keeps}

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        assert real is not None, "it compares"
        sets = real.features(self.keeps), fake.features(self.keeps)
        self.used = min(self.subset_size, *map(len, sets))
        return {"kid": kernel_distance(*sets, self.subsets, self.subset_size)[0]}
