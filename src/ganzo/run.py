"""A run's folder: what lies where, who may write there, checkpoint, restore, delete.

`<model-dir>/<experiment>/` holds options.json, environment.json, checkpoints/, best/ and the newest weights for
users; `<output-dir>/<experiment>/` holds results.json, statistics.log, samples/ and curves.png. Each folder points to
the other; both may be one.
"""

import contextlib
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganzo import checkpoint
from ganzo.clock import LOOK, Clock, between
from ganzo.errors import RunError
from ganzo.folder import (
    DISK_ERRORS,
    append,
    best_checkpoint,
    check_which,
    claim,
    clear,
    exists,
    refuse_foreign,
    write_facts,
    write_json,
)
from ganzo.nn.drift import refuse_drift
from ganzo.nn.examples import Examples
from ganzo.nn.random import load_random_states, random_states
from ganzo.nn.ranks import in_turn, led, shared, talking
from ganzo.nn.record import finite, pace, plain, rates, recorded
from ganzo.nn.sampling import settle
from ganzo.options import saveable
from ganzo.registry import register
from ganzo.schema import Count, Natural, NonNegative, Positive, Seed
from ganzo.whereabouts import FOLDERS, requeued

STATE = ("epoch", "seconds", "seconds_of_epoch", "images_before", "history")  # in a checkpoint
FROM_THE_BEGINNING = "the run had stopped before its first checkpoint; it starts from the beginning"


@register("common", "run")
class Run:
    """One experiment: its folders, its position, and all that makes it go on bit for bit.

    Args:
        experiment: name of the run, and of its folders; none for a hash of the options
        trial_id: which trial of the experiment it is; where results lie under one root, none for the scheduler's job
        model_dir: where runs keep their weights
        output_dir: where runs put what people look at
        results_dir: a root for both, as the variable RESULTS_DIR gives one: a run is then `<root>/<name>/<trial>`
        epochs: epochs in all; a restored run trains what is left
        start_epoch: number of the first epoch in logs and pictures
        max_seconds: end the run after so much time, starting included, over all its sessions; none for no limit
        seed: seed of every random number; none draws one, which is saved with the run
        restore: go on with the run that lies in the folder
        delete: delete the run that lies in the folder, and start over
        checkpoint_every: seconds between checkpoints (0: every turn; none: 30, or 60 times what saving takes if more)
        keep_checkpoints: checkpoints that are kept beside the best one
    """

    def __init__(
        self,
        *,
        experiment: str | None = None,
        trial_id: str | None = None,
        model_dir: str = FOLDERS["model_dir"],
        output_dir: str = FOLDERS["output_dir"],
        results_dir: str | None = None,
        epochs: Natural = 100,
        start_epoch: Natural = 1,
        max_seconds: Positive | None = None,
        seed: Seed | None = None,
        restore: bool = False,
        delete: bool = False,
        checkpoint_every: NonNegative | None = None,
        keep_checkpoints: Count = 2,
    ):
        assert experiment is not None, "an experiment has a name by now"
        self.experiment = experiment  # with its trial; its folders hold the root by now
        self.folder = Path(model_dir) / experiment
        self.output = Path(output_dir) / experiment
        self.epochs, self.start_epoch = epochs, start_epoch
        self.max_seconds = max_seconds
        self.checkpoint_every, self.kept = between(checkpoint_every, took=0), keep_checkpoints
        self._asked = checkpoint_every
        self.restoring, self.deleting = restore and not delete, delete
        self.epoch = 0  # finished epochs
        self.seconds = 0.0  # of training, over all sessions
        self.seconds_of_epoch = 0.0
        self.images_before = 0  # real images judged when the epoch began
        self.history: list[dict[str, Any]] = []
        self.keeps_best = False
        self.seed = seed
        self.clock = Clock(min(LOOK, self.checkpoint_every))
        self._saved_at = self._ticked_at = self._since = self._round_began = self.clock.now
        self._saved: tuple[int, int] | None = None  # the epoch and turn of the newest checkpoint
        self._lock: Any = contextlib.ExitStack()
        self._parts: dict[str, Any] = {}

    exists = staticmethod(exists)

    def __enter__(self) -> "Run":
        """Take the folders for this process, or for rank 0, and listen to SIGINT and SIGTERM."""
        self.clock.look()
        self._since = self.clock.now  # building and tuning count as training
        led(self._claim)
        self.clock.listen()
        return self

    def _claim(self) -> None:
        check_which(self.folder, self.experiment, self.restoring, self.deleting)
        refuse_foreign(self.folder, self.output)
        self._lock = claim(self.folder, self.output, self.experiment)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.clock.close()
        for part in (*self._parts.get("statistics", ()), *self._parts.get("snapshots", ())):
            with contextlib.suppress(AttributeError, OSError):  # older classes have no `close`
                part.close()
        self._lock.close()
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise RunError(
                f"The run's files cannot be written ({error.strerror}); what was saved before is untouched."
                " Make room, and go on with `--restore`."
            ) from error

    def begin(self, options: Namespace, parts: Any) -> str | None:
        """Go on with the run that lies in the folders, or clear them for a new one; then write down what the run is.

        Nothing is deleted or written before all parts could be built, nor what is saved before it was restored.
        Returns a line that says from where a restored run goes on.
        """
        self.keeps_best = options.evaluation_criterion != "latest"  # else the newest weights are the best
        led(lambda: clear(self.folder, self.output, deleting=self.deleting, restoring=self.restoring))
        said = self.restore() if self.restoring else None
        led(lambda: self._write_facts(options, parts))
        return f"{again}: {said}" if said and (again := requeued()) else said

    def _write_facts(self, options: Namespace, parts: Any) -> None:
        write_facts(self.folder, self.output, options, parts)
        for part in self._parts.get("statistics", ()):
            if hasattr(part, "begin"):  # a third party's may only have `log`
                part.begin(saveable(options))

    def keep(self, **parts: Any) -> None:
        """Name the parts whose state belongs to the run; one of them is the `game`."""
        kept = {name for name, part in parts.items() if hasattr(part, "state_dict") or isinstance(part, list)}
        self._parts = {name: parts[name] for name in parts if name in kept}
        self.game, data = parts["game"], parts["data"]
        self.noise = Examples(data, self.game.device) if self.game.translates else parts["noise"]
        if self.game.translates and talking():
            with in_turn():
                _ = self.noise.reference  # packed by one process, before all look at it
        self.classes = getattr(data, "classes", 0)

    def remaining(self) -> Iterator[int]:
        """The epochs that are left, counted from 1; ends early when the run is asked to stop or its time is up."""
        self.clock.look()
        self._saved_at = self._ticked_at = self.clock.now
        while self.epoch < self.epochs and not self.over:
            self._round_began = self.clock.now
            yield self.epoch + 1
            self.clock.look()
        if (self.epoch, self.game.turns) != self._saved:  # it was over just after the last look
            self.save()

    @property
    def stop(self) -> str | None:
        """The signal that asked the run to end."""
        return self.clock.stop

    @property
    def over(self) -> bool:
        """Whether the run was asked to stop, or its time is up."""
        return self.stop is not None or (self.max_seconds is not None and self.elapsed >= self.max_seconds)

    @property
    def elapsed(self) -> float:
        """Seconds of training, over all sessions."""
        return self.seconds + self.clock.now - self._since

    def pause(self) -> bool:
        """Whether a round should end after this turn: each second, for a checkpoint, and when the run is over."""
        if not self.clock.looks(self.game.turns):
            return False
        return self.over or self.clock.now - self._ticked_at >= min(1.0, self.checkpoint_every)

    def round_over(self) -> None:
        """Between rounds: keep time, and save when a checkpoint is due."""
        self.clock.look()
        now = self.clock.now
        self.seconds += now - self._since  # of the whole run
        self.seconds_of_epoch += now - self._round_began  # of turns alone
        self._since = self._ticked_at = now
        if self.game.turns_of_epoch and (self.over or now - self._saved_at >= self.checkpoint_every):
            self.save()
        self._round_began = self.clock.now

    def record(self, losses: dict[str, float], protocol: Any = None) -> dict[str, float]:
        """Close an epoch: its numbers with the epoch's own number, its time and speed; they go to results.json.

        What the scores among them were measured by, the protocol, goes there too. Of several processes, all go by what
        rank 0 measured.
        """
        losses, protocol = shared((losses, protocol))
        self.epoch += 1
        numbers = {"epoch": self.start_epoch + self.epoch - 1, **losses}
        numbers |= pace(self.seconds_of_epoch, self.game.images - self.images_before)
        numbers |= rates(self.game.players)
        self.seconds_of_epoch, self.images_before = 0.0, self.game.images
        evaluation: Any = self._parts.get("evaluation")
        if hasattr(evaluation, "measured_by"):  # it compares only what was measured alike
            evaluation.measured_by(protocol)
        self.history.append(numbers | ({"protocol": plain(protocol)} if protocol else {}))
        led(lambda: append(self.output / "results.json", recorded(self.history[-1], self.game.players)))
        return numbers

    def epoch_over(self, improved: bool) -> None:
        """After an epoch: save when it is due or the last one; keep an improved model as `best`."""
        self.clock.look()
        best = shared(improved) and self.keeps_best
        if best:
            self._settle()
            led(self._save_best)  # first: a run that is killed here does it again
        due = self.clock.now - self._saved_at >= self.checkpoint_every
        if best or due or self.over or self.epoch >= self.epochs:
            self.save()

    def save(self) -> None:
        """Write a checkpoint, and the newest weights for users; then drop old ones, but for the best epoch's."""
        began = self.clock.now
        self._settle()  # the average, first: else what is saved of it would depend on who looked at it before
        refuse_drift({name: player.network for name, player in self.game.players.items()})
        random = random_states()
        led(lambda: self._write(random))
        self.clock.look()
        self._saved_at, self._saved = self.clock.now, (self.epoch, self.game.turns)
        self.checkpoint_every = between(self._asked, took=self._saved_at - began)

    def _settle(self) -> None:
        settle(self.game.sampler, self.noise, self.classes)

    def _write(self, random: Any) -> None:
        root = self.folder / "checkpoints"
        state = {"format": checkpoint.FORMAT, "random": random, "parts": checkpoint.states(self._parts)}
        state |= {key: getattr(self, key) for key in STATE}
        checkpoint.write(root / self._name, self.game.networks(), state)
        checkpoint.save_players(self.game.players, self.folder)
        found = checkpoint.listed(root)
        name = best_checkpoint(self.folder) if self.keeps_best else None
        best = [path for path in found[: -self.kept] if path.name == name]
        checkpoint.tidy(root, keep=best + found[-self.kept :])

    def _save_best(self) -> None:
        checkpoint.save_players(self.game.players, self.folder / "best")
        note = {"epoch": self.epoch, "checkpoint": self._name, "numbers": finite(self.history[-1])}
        write_json(self.folder / "best" / "score.json", note)

    @property
    def _name(self) -> str:
        """The name of a checkpoint that is written now."""
        return f"{self.epoch}-{self.game.turns}"

    def restore(self) -> str | None:
        """Go on from the newest checkpoint that is whole; returns a line that says from where."""
        root, said = self.folder / "checkpoints", ""
        folder = led(lambda: checkpoint.newest(root))
        if folder is not None:
            state = checkpoint.read(folder, self.game.networks())
            with checkpoint.fitting(folder):
                for key in STATE:
                    setattr(self, key, state[key])
                checkpoint.load_states(self._parts, state["parts"])
                for each in self._parts.get("snapshots", ()):
                    each.epochs = self.epoch  # also where it was not chosen before
                said = load_random_states(state["random"], self.seed, self.game.turns)
            self._saved = (self.epoch, self.game.turns)
            self._settle()
        led(lambda: self._restored(folder))
        return (
            f"restored at epoch {self.epoch}, turn {self.game.turns}{said}" if folder else FROM_THE_BEGINNING
        )

    def _restored(self, folder: Path | None) -> None:
        if folder is not None:
            found = checkpoint.listed(folder.parent)
            sound = found[: found.index(folder) + 1]  # the newer ones are damaged
            checkpoint.tidy(folder.parent, keep=sound)
            checkpoint.save_players(self.game.players, self.folder)  # the process may have ended before
        else:
            for part in self._parts.get("statistics", ()):  # what was logged will be logged again
                if hasattr(part, "load_state_dict"):
                    part.load_state_dict(part.state_dict())
        with checkpoint.whole(self.output / "results.json") as temporary:
            lines = [recorded(numbers, self.game.players) for numbers in self.history]
            temporary.write_text("".join(lines), encoding="utf-8")
