"""All metrics of a run, measured together."""

import contextlib
from argparse import Namespace
from typing import Any

import torch
from torch import nn

from ganzo.metric import Comparison, Metric
from ganzo.nn.cache import cache_folder
from ganzo.nn.collected import Collected
from ganzo.nn.extracted import Extractors, real_examples, real_pair
from ganzo.nn.fakes import Portions, from_inputs, from_noise
from ganzo.nn.protocol import VERSION, note_rank, short
from ganzo.nn.ranks import in_turn
from ganzo.nn.references import Pictures, References
from ganzo.nn.sampling import device_of
from ganzo.registry import Count, OptionError, build, register


@register("common", "metrics")
class Metrics:
    """All chosen metrics, measured with the same images; the features are extracted once for all that share them.

    Args:
        metrics: what to measure
        metrics_every: epochs between measurements
        metrics_samples: images that are generated for one measurement; of a translation, inputs at most
        metrics_batch_size: images that are generated, and looked at, at once while measuring
        metrics_features: classifier, random, inception, inception-torch, or a module of yours as file.py:Class (none:
            classifier where the data have labels, else random)
        use_tf_metrics: the older word for the features `inception`
        metrics_weights: file of the weights of inception or inception-torch (none: in the folder of torch.hub)
        cache_dir: folder of what is worked out once per data set (none: $GANZO_CACHE_DIR, or ~/.cache/ganzo)
        classes: number of classes
        image_colors: channels
        translates: whether the game turns images into images

    Attributes:
        scores: which number is each metric's own, as soon as it was measured
        protocol: how each number was measured, by its name without `_mean` and `_std`; as soon as it was
        real_scores: the same numbers of real images against real ones, as `fid_real`; as soon as they were measured
    """

    def __init__(
        self,
        metrics: dict[str, Metric],
        *,
        metrics_every: Count = 5,
        metrics_samples: Count = 1000,
        metrics_batch_size: Count = 512,
        metrics_features: str | None = None,
        use_tf_metrics: bool = False,
        metrics_weights: str | None = None,
        cache_dir: str | None = None,
        classes: int = 0,
        image_colors: int = 3,
        translates: bool = False,
    ):
        self.metrics = metrics
        self.scores = dict.fromkeys(metrics, "")
        self.every = metrics_every
        self.samples, self.size = metrics_samples, metrics_batch_size
        self.translates = translates
        self.check(metrics_samples, f"`--metrics-samples {metrics_samples}`")
        default = (
            metrics_features
            or ("inception" if use_tf_metrics else "")
            or ("classifier" if classes else "random")
        )
        self.looks_at = {name: metric.features or default for name, metric in metrics.items()}
        told = Namespace(metrics_weights=metrics_weights, classes=classes, image_colors=image_colors)
        looks = sorted(set(self.looks_at.values()))
        needs = {look: self.needs(look) for look in looks}
        with in_turn():  # weights are fetched once
            networks = {look: loaded(look, told) for look in looks}
        self.extractors = Extractors(networks, needs, cache_folder(cache_dir) / "metrics")
        self.references: References | None = None
        self.real: dict[str, Collected] = {}  # by extractor
        self.protocol: dict[str, dict[str, Any]] = {}
        self.real_scores: dict[str, float] = {}
        self.beside, self.compared = dict[str, str](), False  # how these were measured, by metric

    def measure(self, epoch: int, data: Any, noise: Any, generator: nn.Module) -> dict[str, float]:
        """The scores of the generator, when the epoch is one at which they are due."""
        if not self.metrics or epoch % self.every:
            return {}
        return self.score(data, noise, generator)

    def score(self, data: Any, noise: Any, generator: nn.Module, seed: int = 0) -> dict[str, float]:
        """The scores of the generator, of images that are drawn with a seed."""
        facts = {"averaged": hasattr(generator, "stale"), "seed": seed}
        return self.compare(data, self.fakes(data, noise, generator, seed), device_of(generator), facts)

    def compare(
        self, data: Any, pictures: Pictures | Portions, device: torch.device, facts: dict[str, Any]
    ) -> dict[str, float]:
        """The scores of any pictures beside the real ones of data; facts about them stand in the protocol."""
        self.prepare(data, device)
        made = self.extractors.collect(pictures)
        count = next(iter(made.values())).count
        self.check(count, f"{count} examples of the data")
        reals = self.compare_with()
        if not self.compared:
            self.compare_real(count)
            self.compared = True
        scores: dict[str, float] = {}
        for name, metric in self.metrics.items():
            look = self.looks_at[name]
            real = reals[look] if metric.needs_real else None
            found = score_of(metric, real, made[look])
            self.scores[name] = next(iter(found), "")
            told = self.told(name, real, made[look], facts)
            self.protocol |= {short(key): told for key in found}
            scores |= found
        return scores

    def check(self, count: int, got: str) -> None:
        """Refuse too few images."""
        for name, metric in self.metrics.items():
            if count < metric.minimum_samples:
                raise OptionError(f"`{name}` needs at least {metric.minimum_samples} images; got {got}.")

    def ready(self, data: Any, device: torch.device | str) -> None:
        """Look at the real examples before a run begins, so that data that do not suit are refused there."""
        if self.metrics:
            self.prepare(data, torch.device(device))
            self.compare_with()

    def prepare(self, data: Any, device: torch.device) -> None:
        """Find the real examples, and let extractors learn from them what they must."""
        if self.references is None:
            with in_turn():
                self.references = References(data, device, self.size, self.translates)
                self.extractors.prepare(self.references)
        self.extractors.to(device)

    def fakes(self, data: Any, noise: Any, generator: nn.Module, seed: int) -> Portions:
        """What the generator makes of noise, or of the inputs of real examples; and the labels of that."""
        if self.translates:
            return from_inputs(generator, data, self.samples, self.size, seed)
        classes = getattr(data, "classes", 0)  # a third party's data may not say
        return from_noise(generator, noise, self.samples, self.size, classes, seed)

    def needs(self, look: str) -> tuple[frozenset[str], int | None]:
        """What all metrics that share an extractor need of a set, and how many features they look at."""
        sharing = [metric for name, metric in self.metrics.items() if self.looks_at[name] == look]
        own = [metric for metric in sharing if isinstance(metric, Comparison)]
        needed = frozenset[str]().union(*(metric.needs for metric in own))
        if len(own) < len(sharing):  # one that is no comparison is handed all features at once
            return needed | {"features"}, None
        return needed, max(metric.keeps for metric in own)

    def compare_with(self) -> dict[str, Collected]:
        """What extractors see in the real examples, worked out once."""
        assert self.references is not None, "it was prepared"
        needing = {name: metric for name, metric in self.metrics.items() if metric.needs_real}
        if needing and not self.real:
            looks = sorted({self.looks_at[name] for name in needing})
            with in_turn():
                self.real = real_examples(self.extractors, self.references, looks)
        for name, metric in needing.items():
            count = self.real[self.looks_at[name]].count
            if count < max(1, metric.minimum_samples):
                raise OptionError(
                    f"`{name}` needs data that keep at least {metric.minimum_samples} real examples to compare with;"
                    f" these keep {count or 'none'}. {'Give more' if count else 'Leave `--metrics` out'}."
                )
        return self.real

    def compare_real(self, count: int) -> None:
        """The scores of real images against real ones, with the same counts as far as there are so many."""
        assert self.references is not None, "it was prepared"
        own = {name: metric for name, metric in self.metrics.items() if isinstance(metric, Comparison)}
        looks = sorted({self.looks_at[name] for name in own})
        with in_turn():
            pair = real_pair(self.extractors, self.references, self.real, looks, count) if own else None
        if pair is None:
            return
        for name, metric in own.items():
            sets = [pair[1][self.looks_at[name]], pair[0][self.looks_at[name]]][: 1 + metric.needs_real]
            if min(each.count for each in sets) < metric.minimum_samples:
                continue
            with contextlib.suppress(OptionError):  # of some class there may be too few
                found = metric.score(sets[-1] if metric.needs_real else None, sets[0])
                self.real_scores |= {f"{key.removesuffix('_mean')}_real": x for key, x in found.items()}
                self.beside[name] = f"{' to '.join(str(each.count) for each in sets)}, {pair[2]}"

    def told(
        self, name: str, real: Collected | None, fake: Collected, facts: dict[str, Any]
    ) -> dict[str, Any]:
        """The protocol of a metric: all that its score depends on but the generator."""
        assert self.references is not None, "it was prepared"
        metric, look = self.metrics[name], self.looks_at[name]
        extractor = self.extractors.networks[look]
        protocol = {
            "version": VERSION,
            "features": look,
            "weights": self.extractors.checksums[look],
            "resize": getattr(extractor, "resize", "none"),
            "image": self.extractors.image,
            "fake": fake.count,
            **facts,
        }
        content = self.references.content
        protocol["data"] = content and content[:16]
        if real is not None:
            protocol |= {"real": real.count, "split": self.references.split}
        if isinstance(metric, Comparison):
            protocol |= metric.settings() | {"real_against_real": self.beside.get(name)}
            if real is not None and metric.uses_covariance:
                protocol |= note_rank(name, metric.needs, real, fake)
        return protocol


def score_of(metric: Any, real: Collected | None, fake: Collected) -> dict[str, float]:
    """The scores of one metric; one that is no comparison is handed all features at once."""
    if isinstance(metric, Comparison):
        return metric.score(real, fake)
    metric.update(None if real is None else real.features(), fake.features(), fake.labels)
    return metric.compute()


def loaded(name: str, told: Namespace) -> nn.Module:
    """An extractor, with weights that it can have before it sees data."""
    extractor = build("features", name, told)
    if not isinstance(extractor, nn.Module):
        raise OptionError(
            f"`--metrics-features {name}` must be a torch.nn.Module, from images B×C×H×W in [-1, 1] to features"
            f" B×F; got a {type(extractor).__name__}."
        )
    getattr(extractor, "load", lambda: None)()
    return extractor
