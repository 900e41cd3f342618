"""Metric `judge`, and the features that it looks at."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganzo.metric import Metric
from ganzo.nn.judge import load_judge
from ganzo.registry import OptionError, register


@register("features", "judge")
class JudgeLogits(nn.Module):
    """What the judge of the embedded digits reads in an image: a logit for each digit.

    Shape: B×C×H×W in [-1, 1] to B×10; colour images are made grey.
    """

    def __init__(self) -> None:
        super().__init__()
        self.judge = load_judge()

    def forward(self, images: Tensor) -> Tensor:
        return self.judge(images.mean(1, keepdim=True))


@register("metric", "judge")
class JudgeMetric(Metric):
    """The share of samples that a classifier of the embedded digits reads as the class that was asked for.

    `judge` is the mean over all samples, `judge_worst` the share in the class that is read worst.

    Args:
        class_names: names of the classes, each a digit
        uses_labels: whether the generator makes the class that it is asked for
        translates: whether the game turns images into images
    """

    features = "judge"
    higher_is_better = True
    minimum_samples = 10
    needs_real = False

    def __init__(
        self,
        *,
        class_names: Sequence[str] = tuple("0123456789"),
        uses_labels: bool = True,
        translates: bool = False,
    ) -> None:
        if translates or not class_names or not set(class_names) <= set("0123456789"):
            got = "a translation" if translates else ", ".join(class_names) or "no classes"
            raise OptionError(
                "`--metrics judge` reads digits that were asked for, so it needs data whose classes are digits"
                f" (`--dataset digits`); got {got}."
            )
        if not uses_labels:
            raise OptionError(
                "`--metrics judge` compares with the class that was asked for, so it needs a generator that reads"
                " labels (`--generator cgan`, or `--conditional concat`)."
            )
        self.digits = torch.tensor([int(name) for name in class_names])  # the digit of each class
        self.right: list[Tensor] = []
        self.asked: list[Tensor] = []

    def update(
        self, real_features: Tensor | None, fake_features: Tensor, labels: Tensor | None = None
    ) -> None:
        assert labels is not None, "the data have classes"
        self.right.append(fake_features.argmax(1) == self.digits.to(labels.device)[labels])
        self.asked.append(labels)

    def compute(self) -> dict[str, float]:
        right, asked = torch.cat(self.right).double(), torch.cat(self.asked)
        self.right, self.asked = [], []
        worst = min(right[asked == digit].mean().item() for digit in asked.unique())
        return {"judge": right.mean().item(), "judge_worst": worst}
