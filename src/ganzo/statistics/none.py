"""Statistics `none`."""

from ganzo.registry import register
from ganzo.statistics import Statistics


@register("statistics", "none")
class NoStatistics(Statistics):
    """Writes nothing; `results.json` is kept all the same."""

    def log(self, losses: dict[str, float]) -> None:
        pass
