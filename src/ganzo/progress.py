"""What one sees while a run trains: a live line on a terminal, plain lines elsewhere, and a summary at the end."""

import sys
import time
from argparse import Namespace
from typing import Any

from ganzo.nn.record import scores_of

PLAIN_EVERY = 30.0  # seconds between lines inside a long epoch, where there is no terminal


class Progress:
    """Shows epoch, images/s, time left, the losses and the last score.

    Args:
        options: of the run; nothing is shown live unless `console` is among its logs
    """

    def __init__(self, options: Namespace):
        logs = [item["name"] if isinstance(item, dict) else item for item in options.log]
        self.quiet = "console" not in logs
        self.live: Any = None
        self.scores: dict[str, float] = {}
        self._said_at = time.monotonic()
        self._shown = (0.0, 0)
        if not self.quiet and sys.stdout.isatty():
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Live

            self.live = Live(
                TextColumn("epoch {task.fields[epoch]}"), BarColumn(bar_width=24), TextColumn("{task.fields[speed]}"),
                TimeElapsedColumn(), TextColumn("{task.fields[left]} left"), TextColumn("{task.fields[numbers]}"),
            )  # fmt: skip

    def __enter__(self) -> "Progress":
        if self.live is not None:
            self.live.start()
            self.task = self.live.add_task("", total=1.0, epoch="", speed="", left="?", numbers="")
        return self

    def __exit__(self, *error: Any) -> None:
        if self.live is not None:
            self.live.stop()

    def say(self, line: str | None) -> None:
        """Print one line, if there is one."""
        if line and not self.quiet:
            print(line, flush=True)

    def show(self, run: Any, losses: dict[str, float], batches: int | None) -> None:
        """Show where the run stands after a round; `batches` is the length of an epoch, where it is known."""
        if self.quiet:
            return
        turns = run.game.turns_in_epoch(batches)
        done = run.epoch + (
            run.game.turns_of_epoch / turns if turns else 0.0 if run.game.turns_of_epoch else 1.0
        )
        seconds, images = self._shown
        rate = (run.game.images - images) / max(run.seconds - seconds, 1e-9)
        self._shown = (run.seconds, run.game.images)
        left = run.seconds / max(done, 1e-9) * (run.epochs - done)
        left = min(left, run.max_seconds - run.seconds) if run.max_seconds else left
        numbers = "  ".join(f"{name} {value:.3g}" for name, value in {**losses, **self._score(run)}.items())
        if self.live is not None:
            self.live.update(
                self.task, total=run.epochs, completed=done, epoch=f"{run.epoch + 1}/{run.epochs}",
                speed=f"{rate:,.0f} images/s", left=duration(left), numbers=numbers,
            )  # fmt: skip
        elif time.monotonic() - self._said_at > PLAIN_EVERY:
            self._said_at = time.monotonic()
            print(
                f"epoch {done:.2f} of {run.epochs}  {rate:,.0f} images/s  {duration(left)} left  {numbers}",
                flush=True,
            )

    def _score(self, run: Any) -> dict[str, float]:
        if run.history:
            self.scores |= scores_of(run.history[-1])
        return self.scores

    def finish(self, run: Any, options: Namespace) -> None:
        """Say how the run ended, where everything lies, and what one may do next."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        name = "" if options.model_dir == "models" else f" --model-dir {options.model_dir}"
        rate = run.game.images / max(run.seconds, 1e-9)
        if run.stop is not None:
            print(
                f"{run.stop}: the run is saved at epoch {run.epoch}, turn {run.game.turns}; go on with `--restore`."
            )
            return
        if self.quiet:
            return
        print(
            f"trained {run.epoch} epochs ({run.game.turns} turns) in {duration(run.seconds)}, {rate:,.0f} images/s\n"
            f"  samples  {run.output / 'samples'}\n  curves   {run.output / 'curves.png'}\n"
            f"  numbers  {run.output / 'results.json'}\n  weights  {run.folder / 'generator.safetensors'}\n"
            f"next: ganzo sample --experiment {run.experiment}{name} --num-samples 4"
            + (f" --label {min(3, options.classes - 1)}" if options.classes and options.conditional else "")
        )


def duration(seconds: float) -> str:
    """A time for people: `2:05` or `1:02:05`."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
