"""Evaluation `latest`."""

from ganzo.evaluation import Evaluation
from ganzo.registry import register


@register("evaluation", "latest", default=True)
class Latest(Evaluation):
    """Takes the newest model for the best one."""

    def has_improved(self, losses: dict[str, float]) -> bool:
        return True
