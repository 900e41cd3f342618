"""Metric `fid`."""

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.nn.distances import frechet_distance
from ganzo.registry import register


@register("metric", "fid")
class FID(Comparison):
    """The Fréchet distance between two normal distributions, one fitted to real features, one to those of fakes.

    ‖μ₁ − μ₂‖² + Tr(C₁ + C₂ − 2(C₁C₂)^½) in float64: 0 and more, the lower the better. The fewer images, the larger it
    is by mere chance; with no more images than features its protocol says rank-deficient, fewer than 20 are refused.

    Paper: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017,
    https://arxiv.org/abs/1706.08500
    """

    higher_is_better = False
    minimum_samples = 20
    needs = frozenset({"moments"})
    uses_covariance = True

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        assert real is not None, "it compares"
        one, other = real.moments, fake.moments
        return {"fid": frechet_distance(one.mean, one.covariance, other.mean, other.covariance)}
