"""How packing shows that it goes on: a bar on a terminal, else plain lines when it takes long."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from ganzo.nn.say import tell as tell  # it is looked for here

SHOWN = 2000  # fewer pictures are packed before a bar could be read
PATIENCE = 2.0  # seconds without a terminal before anything is said


def watched(items: Iterable[Any], count: int, name: str) -> Iterator[Any]:
    """The items as they come, with the progress shown on stderr."""
    return _bar(items, count, name) if sys.stderr.isatty() and count >= SHOWN else _lines(items, count, name)


def _bar(items: Iterable[Any], count: int, name: str) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"packing {name}", total=count)
        for item in items:
            yield item
            progress.advance(task)


def _lines(items: Iterable[Any], count: int, name: str) -> Iterator[Any]:
    start, said = time.monotonic(), False
    for item in items:
        yield item
        if not said and time.monotonic() - start > PATIENCE:
            tell(f"packing {count:,} pictures of {name}; the next run finds them packed")
            said = True
    if said:
        seconds = time.monotonic() - start
        tell(f"packed {count:,} pictures in {seconds:.0f} s ({count / seconds:,.0f} per second)")
