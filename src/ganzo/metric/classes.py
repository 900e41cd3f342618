"""Metric `classes`."""

import torch
from torch import Tensor

from ganzo.metric import Comparison
from ganzo.nn.collected import Collected
from ganzo.registry import OptionError, register

COVERED = 0.1  # of its even share of samples, from which on a class counts as covered


@register("metric", "classes")
class Classes(Comparison):
    """Which classes samples are read as: how many are covered, and whether they are those that were asked for.

    `classes_covered` is the share of the classes that at least a tenth of an even share of the samples are read as,
    `classes_right` the share of samples that are read as asked (where the generator reads labels). Both from 0 to 1,
    the higher the better. At least 20 samples, and ten for each class say something.

    Args:
        classes: number of classes
        uses_labels: whether the generator makes the class that it is asked for

    Attributes:
        confusion: K×K, how many samples that were asked as one class (row) are read as another (column); of a generator
            that reads no labels one row
    """

    higher_is_better = True
    minimum_samples = 20
    needs_real = False
    needs = frozenset({"logits"})

    def __init__(self, *, classes: int = 0, uses_labels: bool = True) -> None:
        if not classes:
            raise OptionError("`--metrics classes` needs data with classes; these have none. Leave it out.")
        self.classes, self.uses_labels = classes, uses_labels
        self.confusion = torch.zeros(0, 0, dtype=torch.int64)

    def score(self, real: Collected | None, fake: Collected) -> dict[str, float]:
        if fake.logits is None or fake.logits.shape[1] != self.classes:
            raise OptionError(
                f"`--metrics classes` needs features that read the {self.classes} classes of the data; choose"
                " `--metrics-features classifier`."
            )
        read = fake.logits.argmax(1)
        labels = fake.labels if self.uses_labels else None
        asked = torch.zeros_like(read) if labels is None else labels
        self.confusion = confusion(asked, read, 1 if labels is None else self.classes, self.classes)
        share = len(read) / self.classes
        covered = (self.confusion.sum(0) >= max(1.0, COVERED * share)).double().mean().item()
        right = {} if labels is None else {"classes_right": (read == labels).double().mean().item()}
        return {"classes_covered": covered, **right}


def confusion(asked: Tensor, read: Tensor, rows: int, columns: int) -> Tensor:
    """How often each class was asked for (row) and read (column)."""
    return torch.bincount(asked * columns + read, minlength=rows * columns).reshape(rows, columns)
