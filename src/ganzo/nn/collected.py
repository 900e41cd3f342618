"""What metrics need of a set of images: collected once, batch by batch, for all of them."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzo.nn.moments import Moments


class Seen(NamedTuple):
    """What an extractor reads in images.

    Args:
        features: B×F
        logits: of the classes that it knows, B×K; None where it knows none
    """

    features: Tensor
    logits: Tensor | None = None


def as_seen(read: "Tensor | Seen | tuple[Tensor, Tensor]") -> Seen:
    """What an extractor returns: features alone, or with logits."""
    seen = Seen(read) if isinstance(read, Tensor) else Seen(*read)
    return Seen(
        seen.features.detach().flatten(1).float(), None if seen.logits is None else seen.logits.detach()
    )


class Collected:
    """One set of images as metrics see it.

    Args:
        needs: among `moments`, `class-moments`, `features`, `logits`
        keep: how many features are kept, a random choice that depends only on their number; none for all

    Attributes:
        count: images so far
        moments: of all features
        by_class: moments of the features of each class
        labels: the class of each image, or None
        logits: N×K, or None
    """

    def __init__(self, needs: Collection[str], keep: int | None = None):
        self.needs, self.keep = frozenset(needs), keep
        self.count = 0
        self.moments, self.by_class = Moments(), dict[int, Moments]()
        self._features: list[Tensor] = []
        self._keys: list[Tensor] = []
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._draw = np.random.default_rng(0)

    def add(self, seen: Seen, labels: Tensor | None = None) -> None:
        """Take in what was seen in some images, and their classes."""
        features, logits = seen
        self.count += len(features)
        if "moments" in self.needs:
            self.moments.add(features)
        if labels is not None:
            labels = labels.cpu()
            self._labels.append(labels)
            for number in labels.unique().tolist() if "class-moments" in self.needs else ():
                self.by_class.setdefault(number, Moments()).add(
                    features[labels.to(features.device) == number]
                )
        if "logits" in self.needs and logits is not None:
            self._logits.append(logits.float().cpu())
        if "features" in self.needs:
            self._features.append(features.cpu())
            self._keys.append(torch.from_numpy(self._draw.random(len(features))))
            if self.keep is not None and sum(map(len, self._features)) > 2 * self.keep:
                self._thin(self.keep)

    def _thin(self, keep: int) -> None:
        """Keep those with the smallest keys, in the order in which they came."""
        keys, features = torch.cat(self._keys), torch.cat(self._features)
        if len(keys) > keep:
            kept = keys.argsort()[:keep].sort().values
            keys, features = keys[kept], features[kept]
        self._keys, self._features = [keys], [features]

    def features(self, most: int | None = None) -> Tensor:
        """The features that were kept, or so many of them, N×F."""
        self._thin(self.count if self.keep is None else self.keep)
        keys, features = self._keys[0], self._features[0]
        return (
            features if most is None or most >= len(keys) else features[keys.argsort()[:most].sort().values]
        )

    @property
    def labels(self) -> Tensor | None:
        """The class of each image."""
        return torch.cat(self._labels) if self._labels else None

    @property
    def logits(self) -> Tensor | None:
        """What the extractor thinks of each image's class."""
        return torch.cat(self._logits) if self._logits else None

    def state(self) -> dict[str, Tensor]:
        """All of it as tensors, to be stored."""
        found = {"count": torch.tensor(self.count)}
        for name, moments in (("all", self.moments), *((str(c), m) for c, m in self.by_class.items())):
            if moments.count:
                found |= {f"{name}.count": torch.tensor(moments.count), f"{name}.mean": moments.mean.cpu()}
                found |= {f"{name}.scatter": moments.scatter.cpu()}
        if "features" in self.needs:
            found["features"], found["keys"] = self.features(), self._keys[0]
        for key, values in (("labels", self.labels), ("logits", self.logits)):
            if values is not None:
                found[key] = values
        return found

    @classmethod
    def of(cls, state: dict[str, Tensor], needs: Collection[str], keep: int | None = None) -> "Collected":
        """A stored set."""
        made = cls(needs, keep)
        made.count = int(state["count"])
        for key in (key for key in state if key.endswith(".scatter")):
            name = key.removesuffix(".scatter")
            moments = made.moments if name == "all" else made.by_class.setdefault(int(name), Moments())
            moments.count = int(state[f"{name}.count"])
            moments.mean, moments.scatter = state[f"{name}.mean"], state[key]
        for key, into in (("features", made._features), ("keys", made._keys)):
            into += [state[key]] if key in state else []
        made._labels = [state["labels"]] if "labels" in state else []
        made._logits = [state["logits"]] if "logits" in state else []
        return made
