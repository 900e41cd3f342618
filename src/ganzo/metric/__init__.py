"""Metrics: numbers about samples."""

from abc import ABC, abstractmethod
from argparse import Namespace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganzo.nn.examples import Examples, as_pair
from ganzo.nn.pixels import to_float
from ganzo.nn.sampling import device_of, labels_for, sample_images, translate_images
from ganzo.registry import Count, Facade, OptionError, Registry, build, chosen, lazily, register, role_of

BATCH = 500  # images whose features are extracted at once


class Metric(Facade, ABC):
    """A number, or several, about generated images.

    Attributes:
        features: the name of what is looked at in an image (a component of the namespace `features`)
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
        names = [item.name for item in chosen(options, role_of("metric"))]
        measured = super().from_options(options, *parts, **offered)
        return build("common", "metrics", options, dict(zip(names, measured, strict=True)))


@register("common", "metrics")
class Metrics:
    """All chosen metrics, measured with the same images; the features are extracted once for all that share them.

    Args:
        metrics: what to measure
        metrics_every: epochs between measurements
        metrics_samples: images that are generated for one measurement; no more than inputs, where they are
            translated
        translates: whether the game turns images into images
    """

    def __init__(
        self,
        metrics: dict[str, Metric],
        *,
        metrics_every: Count = 5,
        metrics_samples: Count = 1000,
        translates: bool = False,
    ):
        self.metrics = metrics
        self.scores = dict.fromkeys(
            metrics, ""
        )  # which number is each metric's own, as soon as it was measured
        self.every = metrics_every
        self.samples = metrics_samples
        self.translates = translates
        self.check(metrics_samples, f"`--metrics-samples {metrics_samples}`")
        names = {metric.features for metric in metrics.values()}
        self.real: dict[str, Tensor] = {}  # features of real examples, by extractor
        self.extractors = {name: Registry.lookup("features", name)() for name in sorted(names)}

    def measure(self, epoch: int, data: Any, noise: Any, generator: nn.Module) -> dict[str, float]:
        """The scores of the generator, when the epoch is one at which they are due."""
        if not self.metrics or epoch % self.every:
            return {}
        fake, labels = self.fakes(data, noise, generator)
        looked = {name: self.look(name, fake) for name in self.extractors}
        scores: dict[str, float] = {}
        for name, metric in self.metrics.items():
            real = self.real_features(metric.features, data, fake.device) if metric.needs_real else None
            metric.update(real, looked[metric.features], labels)
            found = metric.compute()
            self.scores[name] = next(iter(found), "")
            scores |= found
        return scores

    def check(self, count: int, got: str) -> None:
        """Refuse a number of images with which a metric means nothing."""
        for name, metric in self.metrics.items():
            if count < metric.minimum_samples:
                raise OptionError(f"`{name}` needs at least {metric.minimum_samples} images; got {got}.")

    def fakes(self, data: Any, noise: Any, generator: nn.Module) -> tuple[Tensor, Tensor | None]:
        """What the generator makes of noise, or of the inputs of real examples; and the labels of that."""
        if not self.translates:
            classes = getattr(data, "classes", 0)  # a third party's data may not say
            labels = labels_for(self.samples, classes, device_of(generator))
            return sample_images(generator, noise, self.samples, 0, labels, classes), labels
        examples = Examples(data, device_of(generator))
        batch, fake = next(translate_images(generator, examples, self.samples, seed=0, around=False))
        self.check(len(fake), f"{len(fake)} examples of the data")
        return fake, batch.label

    @torch.no_grad()
    def look(self, name: str, images: Tensor) -> Tensor:
        """The features of images, batch by batch."""
        extractor = self.extractors[name].to(images.device)
        return torch.cat([extractor(part) for part in images.split(BATCH)])

    def real_features(self, name: str, data: Any, device: torch.device) -> Tensor:
        """The features of real examples in a fixed order, held out where the data keep any; extracted once."""
        if name not in self.real:
            reference, parts = getattr(data, "reference", lambda: None)(), []
            while reference is not None and (batch := reference.next()) is not None:
                real = as_pair(batch).target if self.translates else batch.image
                assert real is not None, "a pair has a target"
                parts.append(self.look(name, to_float(real, device)))
            if not parts:
                raise OptionError("These data keep no real examples to compare with; leave `--metrics` out.")
            self.real[name] = torch.cat(parts)
        return self.real[name]


__getattr__ = lazily(__name__)  # `from ganzo.metric import …` finds the classes in this room's files
