"""Statistics `file`."""

import os
from pathlib import Path
from typing import Any

from ganzo.registry import OptionError, register
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
        check_writable(self.path)
        self.foreign = bool(log_file)  # a file of the user's may hold other lines
        self.size: int | None = None  # looked at when it is asked for: the run may delete the file before

    @property
    def identity(self) -> str:
        """Which file it is: a run's own may move with its folder."""
        return str(self.path.absolute()) if self.foreign else ""

    def log(self, losses: dict[str, float]) -> None:
        text = "\n".join(lines_of(losses)) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
        self.size = self.path.stat().st_size

    def state_dict(self) -> dict[str, Any]:
        if self.size is None:
            self.size = self.path.stat().st_size if self.foreign and self.path.exists() else 0
        return {"size": self.size, "path": self.identity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state.get("path", self.identity) != self.identity:  # another file, of which nothing may be cut off
            return
        self.size = size = int(state["size"])
        if self.path.is_file() and self.path.stat().st_size > size:
            with self.path.open("r+b") as file:
                file.truncate(size)


def check_writable(path: Path) -> None:
    """See that a file can be written, and its folders made, without touching anything.

    Raises:
        OptionError: where it cannot
    """
    there = path
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        reason = ""
        if there == path and there.is_dir():
            reason = "it is a folder"
        elif there != path and not there.is_dir():
            reason = f"`{there}` is no folder"
        elif not os.access(there, os.W_OK):
            reason = f"`{there}` cannot be written"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise OptionError(
            f"`--log-file` must be a file that can be written; got `{path}` ({reason}). Choose another place."
        )
