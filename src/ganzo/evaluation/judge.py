"""Evaluation `judge`."""

from collections.abc import Sequence

from ganzo.evaluation import Record
from ganzo.registry import OptionError, register


@register("evaluation", "judge")
class JudgeEvaluation(Record):
    """Takes the model whose samples the judge of the embedded digits reads best (`--metrics judge` measures it).

    Args:
        measured: the names of the metrics that the run measures
    """

    def __init__(self, *, measured: Sequence[str] = ("judge",)):
        super().__init__("judge", higher_is_better=True)
        if "judge" not in measured:
            raise OptionError(
                f"`--evaluation-criterion judge` needs `--metrics judge`; this run measures"
                f" {', '.join(measured) or 'nothing'}. Add it."
            )
