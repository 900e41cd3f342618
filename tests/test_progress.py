"""What is said while a run trains, and at its end."""

from types import SimpleNamespace

import pytest

from ganzo import progress
from ganzo.machine import _seconds_per_turn
from ganzo.progress import Progress, counted, duration
from small import play, small


@pytest.mark.parametrize("seconds, text", [(0, "0:00"), (5.4, "0:05"), (65, "1:05"), (3725, "1:02:05")])
def test_a_time_for_people(seconds, text):
    assert duration(seconds) == text


def run_at(epoch, turns, seconds=10.0):
    """A run of ten epochs of four turns, so far."""
    game = SimpleNamespace(
        turns_of_epoch=turns, turns_in_epoch=lambda batches: 4, images=400, turns=4 * epoch + turns
    )
    return SimpleNamespace(
        epoch=epoch, epochs=10, game=game, seconds=seconds, max_seconds=None, history=[], stop=None
    )


@pytest.mark.parametrize(
    "epoch, turns, left",
    [
        (0, 2, "3:10"),
        (4, 2, "0:12"),
        (4, 0, "0:10"),
        (9, 0, "0:00"),
    ],  # the last round of an epoch ends with no turn
)
def test_the_time_left_follows_from_what_is_done(epoch, turns, left, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PLAIN_EVERY", -1.0)
    shown = Progress(small(log="console"))
    shown.show(run_at(epoch, turns), {"generator": 1.0}, 4)
    assert f"{left} left" in capsys.readouterr().out


def test_a_finished_run_says_that_nothing_was_left(capsys):
    play(log="console")
    assert "trained 2 epochs (6 turns) in" in capsys.readouterr().out
    play(log="console", restore=True)
    assert "nothing was left to train: 2 of 2 epochs" in capsys.readouterr().out


def test_a_run_whose_time_is_up_says_what_to_do(capsys):
    play(log="console", max_seconds=1e-9)
    said = capsys.readouterr().out
    assert "the 1e-09 seconds of `--max-seconds` are over: the run is saved at epoch 0 of 2, turn 0" in said
    assert "go on with `--restore` and a larger `--max-seconds`" in said
    play(log="console", restore=True, max_seconds=1e-9)
    said = capsys.readouterr().out
    assert "`--max-seconds` are over" in said and "trained" not in said and "`--epochs`" not in said
    assert said.splitlines()[1].endswith("a larger `--max-seconds`. No turn was played: starting counts too.")


def test_one_turn_is_not_turns():
    assert (counted(1, "epoch"), counted(2000, "turn")) == ("1 epoch", "2,000 turns")


def test_the_summary_names_what_is_there(capsys):
    play(log="file")
    said = capsys.readouterr().out
    assert "output/run/results.json" in said and "samples  " not in said and "--label" not in said
    play(log="none", experiment="quiet")
    assert not capsys.readouterr().out


def test_a_trial_plays_at_least_one_turn():
    """At the end of a pass a round may hold no turn, which takes no time."""
    from ganzo.assemble import assemble

    parts = assemble(small())
    list(parts.game.rounds(parts.data, parts.noise))
    while parts.data.next() is not None:
        pass
    parts.game.turns_of_epoch = 1  # as after a trial that stopped inside a pass
    before = parts.game.turns
    assert _seconds_per_turn(parts, parts.game.device) > 0 and parts.game.turns > before
