"""Metric `intra-fid`."""

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.nn.distances import frechet_distance
from ganzo.registry import OptionError, register

LEAST = 2  # images of a class, for a covariance


@register("metric", "intra-fid")
class IntraFID(Comparison):
    """The Fréchet distance within each class, as a mean over the classes: it sees a generator that ignores labels.

    0 and more, the lower the better. At least 2 images of each class, real and fake; its protocol says rank-deficient
    where all images together are no more than features, and each class has but its share of them.

    Args:
        classes: number of classes
        uses_labels: whether the generator makes the class that it is asked for

    Paper: Miyato & Koyama, "cGANs with Projection Discriminator", 2018, https://arxiv.org/abs/1802.05637, section 4
    """

    higher_is_better = False
    minimum_samples = 20
    needs = frozenset({"class-moments"})
    uses_covariance = True

    def __init__(self, *, classes: int = 0, uses_labels: bool = True) -> None:
        if not classes:
            raise OptionError("`--metrics intra-fid` needs data with classes; these have none. Choose `fid`.")
        if not uses_labels:
            raise OptionError(
                "`--metrics intra-fid` compares within the class that was asked for, so it needs a generator that reads"
                " labels (`--generator cgan`, or `--conditional concat`). Choose `fid`."
            )
        self.minimum_samples = max(self.minimum_samples, LEAST * classes)  # type: ignore[misc]

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        assert real is not None, "it compares"
        shared = sorted(real.by_class.keys() & fake.by_class.keys())
        pairs = [(real.by_class[number], fake.by_class[number]) for number in shared]
        counts = [min(one.count, other.count) for one, other in pairs]
        if not counts or min(counts) < LEAST or real.by_class.keys() - fake.by_class.keys():
            raise OptionError(
                f"`--metrics intra-fid` needs at least {LEAST} images of each class, real and fake; one has fewer."
                " Raise `--metrics-samples`, or choose `fid`."
            )
        distances = [frechet_distance(a.mean, a.covariance, b.mean, b.covariance) for a, b in pairs]
        return {"intra-fid": sum(distances) / len(distances)}
