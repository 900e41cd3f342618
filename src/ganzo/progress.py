"""What one sees while a run trains: a live line on a terminal, plain lines elsewhere, and a summary at the end."""

import os
import shlex
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganzo.nn.compiled import graphs
from ganzo.nn.ranks import ranks
from ganzo.nn.record import scores_of

SHORT = {"generator": "G", "discriminator": "D"}
PLAIN_EVERY = 30.0  # seconds between lines inside a long epoch, where there is no terminal


class Progress:
    """Shows epoch, images/s, time left, the losses and the last score.

    Args:
        options: of the run; nothing is shown live unless `console` is among its logs, and nothing at all by any but
            rank 0 of several processes
    """

    def __init__(self, options: Namespace):
        logs = [item["name"] if isinstance(item, dict) else item for item in options.log]
        self.silent = not ranks().leads
        logs = [] if self.silent else logs
        self.quiet = set(logs) <= {"none"}
        self.live: Any = None
        self._said_at = time.monotonic()
        self._turns: int | None = None  # that were played before this session
        self._shown, self._rate = (0.0, 0), 0.0
        self._score: dict[str, float] = {}
        self.compiles = options.compile
        # compiled before the session, and in its first epoch; that epoch
        self._graphs, self._first = [0, 0], 0
        if "console" in logs and sys.stdout.isatty():
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Live

            bar = [BarColumn(bar_width=20)] if shutil.get_terminal_size().columns >= 100 else []
            self.live = Live(TextColumn("{task.fields[text]}"), *bar, TextColumn("{task.fields[numbers]}"))
        self.plain = "console" in logs and self.live is None

    def __enter__(self) -> "Progress":
        if self.live is not None:
            self.live.start()
            self.task = self.live.add_task("", total=1.0, text="building the parts, tuning", numbers="")
        return self

    def __exit__(self, *error: Any) -> None:
        if self.live is not None:
            self.live.stop()

    def say(self, line: str | None) -> None:
        """Print one line, if there is one."""
        if line and not self.quiet:
            print(line, flush=True)

    def begin(self, run: Any) -> None:
        """Note where the session begins."""
        self._turns = run.game.turns
        self._graphs, self._first = [graphs()] * 2 if self.compiles else [0, 0], run.epoch
        self._shown = (run.seconds, run.game.images)

    def show(self, run: Any, losses: dict[str, float], batches: int | None) -> None:
        """Show where the run stands after a round; `batches` is the length of an epoch, where it is known."""
        seconds, images = self._shown
        if run.seconds - seconds > 0.2:  # a shorter stretch says little
            self._rate = (run.game.images - images) / (run.seconds - seconds)
            self._shown = (run.seconds, run.game.images)
        if self.compiles and run.epoch == self._first:
            self._graphs[1] = graphs()
        turns, played = run.game.turns_in_epoch(batches), run.game.turns_of_epoch
        # the epoch's last round ends with none
        part = 1.0 if not played else played / turns if turns else 0.0
        done = min(run.epoch + part, run.epochs)
        left = "?"
        if done > 0:
            rest = run.seconds / done * (run.epochs - done)
            left = duration(min(rest, run.max_seconds - run.seconds) if run.max_seconds else rest)
        scores = scores_of(run.history[-1]) if run.history else {}
        self._score = dict(list(scores.items())[:1]) or self._score
        numbers = "  ".join(
            f"{SHORT.get(name, name)} {value:.3g}" for name, value in {**losses, **self._score}.items()
        )
        text = f"epoch {min(run.epoch + 1, run.epochs)}/{run.epochs}  {self._rate:,.0f} images/s  {left} left"
        if self.live is not None:
            self.live.update(self.task, total=run.epochs, completed=done, text=text, numbers=numbers)
        elif self.plain and time.monotonic() - self._said_at > PLAIN_EVERY:
            self._said_at = time.monotonic()
            print(f"{text}  {numbers}", flush=True)

    def finish(self, run: Any, options: Namespace, classes: Sequence[str] = ()) -> None:
        """Say how the run ended, where everything lies, and what one may do next."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        if run.stop is not None and not self.silent:
            print(
                f"{run.stop}: the run is saved at epoch {run.epoch}, turn {run.game.turns}; go on with `--restore`."
            )
        if self.quiet or run.stop is not None:
            return
        if run.epoch < run.epochs:  # nothing else ends a run before
            none = " No turn was played: starting counts too." if run.game.turns == self._turns else ""
            print(
                f"the {run.max_seconds:g} seconds of `--max-seconds` are over: the run is saved at epoch {run.epoch} of"
                f" {run.epochs}, turn {run.game.turns}; go on with `--restore` and a larger `--max-seconds`.{none}"
            )
        elif run.game.turns == self._turns:
            print(
                f"nothing was left to train: {run.epoch} of {run.epochs} epochs; ask for more with `--epochs`"
            )
        if run.game.turns != self._turns:
            playing = sum(line["seconds"] for line in run.history)
            images = sum(line["seconds"] * line["images_per_second"] for line in run.history)
            rate = f" in all, at {images / playing:,.0f} images/s in the turns" if playing else ""
            trained = f"{counted(run.epoch, 'epoch')} ({counted(run.game.turns, 'turn')})"
            print(f"trained {trained} in {duration(run.seconds)}{rate}")
            if self.compiles:
                before, first = self._graphs
                print(
                    f"compiled: {graphs() - before} graphs, {graphs() - first} of them after the first epoch"
                )
        places = {"samples": run.output / "samples", "curves": run.output / "curves.png"}
        places |= {"numbers": run.output / "results.json", "weights": run.folder / "generator.safetensors"}
        print("\n".join(f"  {name:8} {path}" for name, path in places.items() if path.exists()))
        where = "" if options.model_dir == "models" else f" --model-dir {options.model_dir}"
        label = f" --label {shlex.quote(classes[-1])}" if len(classes) and options.uses_labels else ""
        print(f"next: {command()} sample {run.experiment}{where} --num-samples 4{label}")


def command() -> str:
    """How this `ganzo` is called from the current folder, where its own folder is not on the PATH."""
    if shutil.which("ganzo"):
        return "ganzo"
    beside = Path(sys.executable).with_name("ganzo")
    return os.path.relpath(beside) if beside.exists() else f"{Path(sys.executable).name} -m ganzo"


def counted(number: int, thing: str) -> str:
    """How many things: `1 turn` or `2 turns`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def duration(seconds: float) -> str:
    """A time for people: `2:05` or `1:02:05`."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
