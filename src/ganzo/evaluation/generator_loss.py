"""Evaluation `generator-loss`."""

from ganzo.evaluation import Record
from ganzo.registry import register


@register("evaluation", "generator-loss")
class GeneratorLoss(Record):
    """Takes the model with the smallest generator loss for the best one; in most games that loss says little."""

    def __init__(self) -> None:
        super().__init__("generator", higher_is_better=False)
