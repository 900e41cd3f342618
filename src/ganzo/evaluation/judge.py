"""Evaluation `judge`."""

from ganzo.evaluation import Record
from ganzo.registry import register


@register("evaluation", "judge")
class JudgeEvaluation(Record):
    """Takes the model whose samples the judge of the embedded digits reads best (`--metrics judge` measures it)."""

    def __init__(self) -> None:
        super().__init__("judge", higher_is_better=True)
