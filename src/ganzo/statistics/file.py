"""Statistics `file`."""

from pathlib import Path
from typing import Any

from ganzo.registry import register
from ganzo.statistics import Statistics, lines_of


@register("statistics", "file")
class FileStatistics(Statistics):
    """Writes the numbers of each epoch to a text file; a restored run goes on behind its last checkpoint.

    Args:
        log_file: where to write; none for `statistics.log` in the run's output folder
        folder: the run's output folder
    """

    def __init__(self, *, log_file: str | None = None, folder: str | Path = "."):
        self.path = Path(log_file) if log_file else Path(folder) / "statistics.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self.size = self.path.stat().st_size if log_file else 0  # a file of the user's may hold other lines

    def log(self, losses: dict[str, float]) -> None:
        text = "\n".join(lines_of(losses)) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
        self.size = self.path.stat().st_size

    def state_dict(self) -> dict[str, Any]:
        return {"size": self.size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.size = state["size"]
        if self.path.stat().st_size > self.size:
            with self.path.open("r+b") as file:
                file.truncate(self.size)
