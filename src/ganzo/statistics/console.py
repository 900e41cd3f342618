"""Statistics `console`."""

from ganzo.registry import register
from ganzo.statistics import Statistics, lines_of


@register("statistics", "console", default=True)
class ConsoleStatistics(Statistics):
    """Prints the numbers of each epoch on one line; on a terminal a live display stands in its place."""

    live = True  # the run's progress display shows the numbers, so that nothing is printed twice

    def log(self, losses: dict[str, float]) -> None:
        print("  ".join(" ".join(line.split()) for line in lines_of(losses)), flush=True)
