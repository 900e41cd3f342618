"""When a run takes its first batch, and when its first turn is over: `python -m benchmarks.first START -- WORDS`.

It is the command `ganzo WORDS` in this process, with a clock in it. START is what the monotonic clock of the machine
said when the process was started, so that Python's own start and all imports count. Turns of the short trial that
chooses layout and threads do not count as the run's; they take their time before it.
"""

import functools
import json
import sys
import time
from typing import Any


def watch(cls: type, name: str, tell: Any) -> None:
    """Let a function know whenever a method of a class has returned."""
    inner = getattr(cls, name)

    @functools.wraps(inner)
    def watched(*parts: Any, **named: Any) -> Any:
        result = inner(*parts, **named)
        tell()
        return result

    setattr(cls, name, watched)


def main(words: list[str]) -> int:
    """Run the command, and print the seconds as JSON in the last line."""
    start, told = float(words[0]), dict[str, float]()

    def note(event: str, after: str | None = None) -> None:
        if after is None or after in told:
            told.setdefault(event, time.monotonic() - start)

    from ganzo.cli import main as ganzo
    from ganzo.data.batches import StoredData
    from ganzo.game.standard import StandardGame
    from ganzo.run import Run

    watch(Run, "begin", lambda: note("built"))  # after the trial, before the first turn
    watch(StoredData, "next", lambda: note("batch", "built"))
    watch(StandardGame, "step", lambda: note("turn", "built"))
    status = ganzo(words[words.index("--") + 1 :])
    note("end")
    print(json.dumps(told))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
