"""Statistics `console`."""

import sys

from ganzo.registry import register
from ganzo.statistics import Statistics, lines_of


@register("statistics", "console", default=True)
class ConsoleStatistics(Statistics):
    """Prints the numbers of each epoch on one line; on a terminal the run's live display shows them instead."""

    def log(self, losses: dict[str, float]) -> None:
        if not sys.stdout.isatty():
            print("  ".join(" ".join(line.split()) for line in lines_of(losses)), flush=True)
