"""A command as one of two processes: who prints, who asks, who writes."""

import json
from pathlib import Path

import pytest

from ranked import Started, command

TINY = (
    "--dataset digits --image-size 8 --image-colors 1 --batch-size 8 --state-size 4 --generator-layers 2"
    " --discriminator-layers 2 --no-tune --epochs 1 --max-batches-per-epoch 2"
)


def lines(text):
    """What was said, without torch's own remarks."""
    return [line for line in text.splitlines() if line.startswith("ganzo:")]


def test_two_processes_train_one_run():
    first, second = Started(command, f"train {TINY} --sample-every 1 --threads 1").left()
    assert (first.status, second.status) == (0, 0), first.err + second.err
    assert "trained 1 epoch (2 turns)" in first.out and "epoch 1 " in first.out
    assert second.out == "" and lines(first.err) == lines(second.err) == []
    (folder,) = Path("models").iterdir()  # a name and a seed that both had
    saved = json.loads((folder / "options.json").read_text())
    assert saved["experiment"] == folder.name and isinstance(saved["seed"], int)
    assert json.loads((folder / "environment.json").read_text())["processes"] == 2
    assert len((Path("output") / folder.name / "results.json").read_text().splitlines()) == 1
    assert list((Path("output") / folder.name / "samples").iterdir())


def test_what_all_have_wrong_is_said_once():
    first, second = Started(command, f"train {TINY} --loss hingee").left()
    assert (first.status, second.status) == (2, 2) and first.out == second.out == ""
    (line,) = lines(first.err)
    assert line.startswith("ganzo: error: There is no loss `hingee`") or "hingee" in line
    assert second.err == ""


def test_what_is_wrong_on_one_rank_is_said_with_its_number():
    first, second = Started(command, f"train {TINY}", own={1: {"GANZO_LR": "much"}}).left()
    assert (first.status, second.status) == (2, 2)
    (line,) = lines(second.err)
    assert line.startswith("ganzo: error: rank 1 of 2: `--generator-lr` must be"), line
    (line,) = lines(first.err)
    assert line.startswith(
        "ganzo: error: Another process of this run has ended or cannot be reached, so rank 0 of 2 ends too; what was"
        " saved is untouched: go on with `--restore` ("
    )
    assert not Path("models").exists()


def test_warnings_are_printed_once():
    first, second = Started(
        command, f"train {TINY} --dry-run --clip-to 1", own={1: {"GANZO_LR": "0.1"}}
    ).left()
    assert (first.status, second.status) == (0, 0)
    (warning,) = (line for line in lines(first.err) if "warning" in line)
    assert "clip-to` (command line) has no effect" in warning
    assert second.out == second.err == "" and "experiment" in first.out
    assert not Path("models").exists()


def test_a_run_that_is_there_is_refused_once(trained):
    first, second = Started(command, f"train {TINY} --experiment t").left()
    assert (first.status, second.status) == (2, 2)
    assert "The experiment `t` exists already" in first.err and len(lines(first.err)) == 1
    assert second.err == ""


def asked(answer, words):
    """A command at a keyboard, of which rank 0 alone gets a line."""
    import builtins
    import sys

    from ganzo.nn.ranks import ranks

    def line(question):
        assert ranks().leads and "exists: [r]estore it" in question
        return answer

    sys.stdin.close()
    sys.stdin = type("Keyboard", (), {"isatty": lambda self: True})()
    builtins.input = line
    command(words)


@pytest.mark.parametrize(("answer", "status", "epochs"), [("n", 0, 2), ("a", 2, 1)])
def test_rank_0_alone_asks_and_all_heed_the_answer(trained, answer, status, epochs):
    two = Started(asked, answer, f"train {TINY} --experiment t --epochs 2 --seed 5 --threads 1").left()
    assert [left.status for left in two] == [status, status], two
    assert len((Path("output/t/results.json")).read_text().splitlines()) == epochs


def test_what_a_launcher_says_wrongly_is_named(monkeypatch, refused):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "two")
    assert refused(f"train {TINY}") == (
        "The variable WORLD_SIZE, which a launcher sets, must be a whole number; got `two`."
    )


def test_processes_that_do_not_meet_say_where_they_were(monkeypatch, refused):
    from ganzo.nn import ranks

    def nobody(*args, **named):
        raise RuntimeError("nobody came\nC++ trace")

    monkeypatch.setattr(ranks.dist, "rendezvous", nobody)
    for key, value in {"RANK": 0, "WORLD_SIZE": 2, "MASTER_ADDR": "here", "MASTER_PORT": 7}.items():
        monkeypatch.setenv(key, str(value))
    assert refused(f"train {TINY}") == (
        "The 2 processes of this run must meet at here:7, and rank 0 of 2 met nobody there (nobody came); see that all"
        " were started, and set MASTER_ADDR and MASTER_PORT to a place that is free and that all can reach."
    )


def test_data_that_are_missing_are_missed_once():
    first, second = Started(
        command, f"train {TINY}".replace("--dataset digits", "--dataset folder --data-dir no")
    ).left()
    assert (first.status, second.status) == (2, 2)
    assert len(lines(first.err)) == 1 and "`no`" in first.err and "rank" not in first.err
    assert second.err == ""
