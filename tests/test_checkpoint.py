import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganzo import checkpoint
from ganzo.cli import main
from ganzo.errors import RunError
from ganzo.game import Game
from small import SMALL, equal, everything, play

CHECKPOINTS = Path("models/run/checkpoints")


def names():
    return sorted(path.name for path in CHECKPOINTS.iterdir())


def two_checkpoints():
    """A run of two epochs whose checkpoints stand after turns 5 and 6."""
    run = play(checkpoint_every=0.0, keep_checkpoints=3)
    assert names() == ["1-5", "1-6", "2-6"]
    return everything(run)


@pytest.mark.parametrize("asked, further", [(None, True), (1000.0, False)])
def test_what_takes_long_to_save_is_saved_less_often(asked, further, monkeypatch):
    monkeypatch.setattr("ganzo.clock.SPARED", 1e9)  # as if it took years
    assert (play(checkpoint_every=asked, epochs=1).checkpoint_every > 1000.0) == further


def test_two_are_kept_and_the_best_beside_them():
    play(checkpoint_every=0.0, evaluation_criterion="generator-loss")
    assert names() == ["1-3", "1-6", "2-6"]  # the first epoch was the best
    assert json.loads(Path("models/run/best/score.json").read_text())["checkpoint"] == "1-3"
    assert sorted(path.name for path in Path("models/run/best").iterdir()) == [
        "discriminator.safetensors", "generator.safetensors", "score.json",
    ]  # fmt: skip


def test_best_is_the_best_and_not_the_newest(monkeypatch):
    from ganzo.evaluation.generator_loss import GeneratorLoss

    monkeypatch.setattr(GeneratorLoss, "has_improved", lambda self, losses: losses["epoch"] == 1)
    play(epochs=1, experiment="one")
    play(epochs=3, evaluation_criterion="generator-loss")
    best, newest = (
        Path("models/run", where, "generator.safetensors").read_bytes() for where in ("best", ".")
    )
    assert best == Path("models/one/generator.safetensors").read_bytes() != newest
    assert json.loads(Path("models/run/best/score.json").read_text())["epoch"] == 1


def test_what_a_checkpoint_holds():
    run = play(generator_hook=["ema"])
    folder = CHECKPOINTS / "2-6"
    assert sorted(path.name for path in folder.iterdir()) == [
        "discriminator.safetensors", "generator-average.safetensors", "generator.safetensors",
        "manifest.json", "state.pt",
    ]  # fmt: skip
    assert equal(load_file(folder / "generator.safetensors"), dict(run.game.generator.network.state_dict()))
    assert equal(load_file("models/run/generator.safetensors"), dict(run.game.sampler.state_dict()))
    assert checkpoint.damage(folder) is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def alter(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = [
    (cut, "does not match its checksum"),
    (alter, "does not match its checksum"),
    (os.unlink, "is missing"),
]


@pytest.mark.parametrize("file", ["generator.safetensors", "discriminator.safetensors", "state.pt"])
@pytest.mark.parametrize(("damage", "reason"), DAMAGES, ids=["cut", "altered", "missing"])
def test_a_damaged_checkpoint_is_found_and_the_one_before_taken(damage, reason, file, capsys):
    whole = two_checkpoints()
    damage(CHECKPOINTS / "2-6" / file)
    restored = play(restore=True, log="console")
    said = capsys.readouterr()
    assert said.err == (f"ganzo: the checkpoint 2-6 is damaged (`{file}` {reason}); taking the one before.\n")
    assert "restored at epoch 1, turn 6" in said.out
    assert equal(everything(restored), whole)


@pytest.mark.parametrize(
    "manifest", [None, "", "[]", '{"sha256": 3}', "{" * 100_000, '{"sha256": {"no/such": "x"}}', "\xff"]
)
def test_a_damaged_manifest_is_damage(manifest, capsys):
    whole = two_checkpoints()
    path = CHECKPOINTS / "2-6" / "manifest.json"
    path.unlink() if manifest is None else path.write_text(manifest, encoding="latin-1")
    assert equal(everything(play(restore=True)), whole)
    assert "the checkpoint 2-6 is damaged" in capsys.readouterr().err


def test_two_damaged_ones_and_the_third_is_taken(capsys):
    whole = two_checkpoints()
    alter(CHECKPOINTS / "2-6" / "state.pt")
    cut(CHECKPOINTS / "1-6" / "generator.safetensors")
    assert equal(everything(play(restore=True)), whole)
    assert capsys.readouterr().err.count("is damaged") == 2


def test_when_all_are_damaged_one_sentence_says_so():
    two_checkpoints()
    for folder in CHECKPOINTS.iterdir():
        alter(folder / "state.pt")
    with pytest.raises(
        RunError, match=r"^Every checkpoint in `.*` is damaged; start over with `--delete`\.$"
    ):
        play(restore=True)
    assert len(names()) == 3  # nothing was thrown away


def test_a_damaged_newer_checkpoint_does_not_push_out_whole_ones(monkeypatch):
    """It is newer by name than what the restored run writes next."""
    play(checkpoint_every=0.0, keep_checkpoints=4)
    alter(CHECKPOINTS / "2-6" / "state.pt")
    for folder in ("1-6", "1-5"):
        shutil.rmtree(CHECKPOINTS / folder)
    take = Game._take

    def leave_at_turn_5(self, data):
        if self.turns == 5:
            raise KeyboardInterrupt
        return take(self, data)

    monkeypatch.setattr(Game, "_take", leave_at_turn_5)
    with pytest.raises(KeyboardInterrupt):
        play(restore=True, checkpoint_every=0.0, keep_checkpoints=1)
    assert names() == ["1-5"] and checkpoint.damage(CHECKPOINTS / "1-5") is None


class Bomb:
    def __reduce__(self):
        return (Path("exploded").write_text, ("boom",))


@pytest.mark.parametrize("how", ["torch", "pickle", "legacy"])
def test_a_pickle_that_would_run_code_is_refused_even_with_a_right_checksum(how):
    play()
    folder = CHECKPOINTS / "2-6"
    bomb = {"format": checkpoint.FORMAT, "epoch": Bomb()}
    if how == "pickle":
        (folder / "state.pt").write_bytes(pickle.dumps(bomb))
    else:
        torch.save(bomb, folder / "state.pt", _use_new_zipfile_serialization=how == "torch")
    seal(folder)
    with pytest.raises(RunError, match=r"state\.pt` is refused: .* could run code \(") as caught:
        play(restore=True)
    assert "\n" not in str(caught.value)
    assert not Path("exploded").exists()


def seal(folder):
    """Give a checkpoint a manifest that fits what lies in it, as an attacker would."""
    sums = {p.name: checkpoint.checksum(p) for p in folder.iterdir() if p.name != "manifest.json"}
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "sha256": sums}))


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 100, (10**6).to_bytes(8, "little") + b"{", (2).to_bytes(8, "little") + b"[]"]
)
def test_a_malicious_safetensors_file_is_refused(content):
    play()
    (CHECKPOINTS / "2-6" / "generator.safetensors").write_bytes(content)
    seal(CHECKPOINTS / "2-6")
    with pytest.raises(RunError, match=r"generator\.safetensors` is not a readable safetensors file"):
        play(restore=True)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"format": 99}, "must be a checkpoint of this version"),
        ([], "must be a checkpoint of this version"),
        ({"format": checkpoint.FORMAT}, r"does not fit this run \(KeyError: 'epoch'\)"),
    ],
)
def test_a_state_of_another_version_is_refused_in_a_sentence(state, sentence):
    play()
    torch.save(state, CHECKPOINTS / "2-6" / "state.pt")
    seal(CHECKPOINTS / "2-6")
    with pytest.raises(RunError, match=sentence) as caught:
        play(restore=True)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused_in_a_sentence():
    play()
    with pytest.raises(
        RunError, match=r"^The weights in `.*generator\.safetensors` do not fit this network, the first at `"
    ) as caught:
        play(restore=True, generator_layers=3)
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="do not fit this network"):
        checkpoint.load_weights(nn.Linear(2, 2), CHECKPOINTS / "2-6" / "generator.safetensors")


def test_a_run_with_other_data_is_refused_in_a_sentence():
    play()
    with pytest.raises(ValueError, match="A restored run needs the data that it began with"):
        play(restore=True, digits_part="all")


def test_a_process_that_dies_while_writing_leaves_what_was_there(monkeypatch):
    play()
    before, replace = everything(play(restore=True)), os.replace

    class Died(BaseException):
        pass

    def die(source, target):
        if Path(target).name == "3-9":
            raise Died  # as after SIGKILL nothing of ours runs any more: the temporary folder stays
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(checkpoint.os, "replace", die)
        play(epochs=3, restore=True)
    assert names() == [".3-9.tmp", "2-6"]
    assert equal(everything(play(restore=True)), before)
    whole = everything(play(experiment="whole", epochs=4))
    assert equal(everything(play(epochs=4, restore=True)), whole)
    assert names() == ["2-6", "4-12"]  # the temporary folder is gone


def test_a_file_appears_whole_or_not_at_all():
    path = Path("file")
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), checkpoint.whole(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    with checkpoint.whole(path) as temporary:
        temporary.write_text("after")
    assert path.read_text() == "after" and os.listdir() == ["file"]


def test_nothing_to_restore_and_something_there_already():
    with pytest.raises(RunError, match="nothing to restore in `models/run`; leave out `--restore`"):
        play(restore=True)
    assert not Path("models").exists()
    play()
    with pytest.raises(RunError, match="exists already in `models/run`: go on with it by `--restore`"):
        play()


def test_deleting_starts_over_and_touches_nothing_else():
    whole = everything(play())
    Path("models/other").mkdir()
    Path("models/other/file").touch()
    Path("models/run/link").symlink_to(Path("models/other").resolve())
    Path("output/run/old").touch()
    assert equal(everything(play(delete=True)), whole)
    assert Path("models/other/file").exists()
    assert not Path("models/run/link").is_symlink() and not Path("output/run/old").exists()


# Real disks and real processes


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own; gives a function that mounts it anew, with other options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
        return place

    yield mount
    while place.is_mount():
        subprocess.run(["umount", place], check=True)


def words(folder, **changed):
    """A command line for a small run in a folder."""
    values = SMALL | {"model_dir": f"{folder}/models", "output_dir": f"{folder}/output"} | changed
    line = []
    for key, value in values.items():
        flag = key.replace("_", "-")
        if isinstance(value, bool):
            line.append(f"--{flag}" if value else f"--no-{flag}")
        elif value != []:
            line += [f"--{flag}", str(value)]
    return ["train", *line]


def only_error(capsys):
    """The one sentence on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ganzo: error: ")
    return lines[0]


def fill(place):
    """Leave no room on a disk."""
    with open(place / "filler", "wb", buffering=0) as file:
        try:
            while file.write(b"0" * 1024):
                pass
        except OSError:
            pass


def pad(path):
    """Fill the last page of a file, in which there is room also on a full disk."""
    with open(path, "ab") as file:
        file.write(b" " * (-path.stat().st_size % os.sysconf("SC_PAGE_SIZE")))


@pytest.mark.parametrize(
    "changed", [{}, {"log": "file"}, {"log": "tensorboard"}, {"save_images_as": "folder", "sample_every": 1}]
)
@pytest.mark.parametrize("at", ["record", "epoch_over"])
def test_a_full_disk_is_one_sentence_and_costs_nothing(disk, capsys, monkeypatch, changed, at):
    from ganzo.run import Run

    place = disk("size=4m")
    assert main(words("whole", epochs=4, experiment="run")) == 0
    assert main(words(place, epochs=2, **changed)) == 0
    capsys.readouterr()
    moment = getattr(Run, at)

    def full(self, *args, **named):
        if self.epoch == 3 - (at == "record"):
            fill(place)
            pad(place / "output/run/results.json")
        return moment(self, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Run, at, full)
        assert main(words(place, epochs=4, restore=True, **changed)) == 2
    said = only_error(capsys)
    assert re.search(
        r"cannot be written \(.*No space left on device.*\); what was saved before is untouched", said
    )
    assert checkpoint.damage(place / "models/run/checkpoints/2-6") is None

    assert main(words(place, epochs=4, restore=True, **changed)) == 2  # still no room
    assert "No space left on device" in only_error(capsys)
    (place / "filler").unlink()
    assert main(words(place, epochs=4, restore=True, **changed)) == 0
    weights = [Path(p, "models/run/generator.safetensors").read_bytes() for p in (place, "whole")]
    assert weights[0] == weights[1]
    assert len((place / "output/run/results.json").read_text().splitlines()) == 4
    if changed.get("log") == "file":
        assert (place / "output/run/statistics.log").read_text().count("epoch") == 4


def test_a_disk_that_is_full_from_the_start(disk, capsys):
    place = disk("size=1m")
    fill(place)
    assert main(words(place)) == 2
    assert f"The run's folder `{place}/models/run` cannot be written (No space left on device)" in only_error(
        capsys
    )


def test_a_disk_that_only_holds_a_part_of_a_checkpoint(disk, capsys):
    place = disk("size=160k")
    assert main(words(place, epochs=2, state_size=64)) == 2
    assert re.search(r"cannot be written \(.*No space left on device", only_error(capsys))
    assert checkpoint.listed(place / "models/run/checkpoints") == []


def test_a_read_only_disk(disk, capsys):
    place = disk("size=4m")
    assert main(words(place)) == 0
    disk("remount,ro")
    capsys.readouterr()
    for changed in ({"restore": True, "epochs": 3}, {"experiment": "new"}, {"delete": True}):
        assert main(words(place, **changed)) == 2
        assert "cannot be written (Read-only file system)" in only_error(capsys)
    disk("remount,rw")
    assert main(words(place, restore=True, epochs=3)) == 0


def test_a_file_where_the_folder_should_be(capsys):
    Path("models").touch()
    assert main(words(".")) == 2
    assert "The run's folder `models/run` cannot be written (Not a directory)" in only_error(capsys)


@pytest.mark.slow
def test_a_second_process_is_refused_with_the_number_of_the_first(capsys):
    whole = play(experiment="whole", epochs=20, max_batches_per_epoch=40)
    script = "from ganzo.cli import main; print('ready', flush=True); input(); raise SystemExit(main())"
    line = words(".", epochs=20, max_batches_per_epoch=40, log="console")
    first = subprocess.Popen(
        [sys.executable, "-c", script, *line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout.readline() == "ready\n"
    first.stdin.write("\n")
    first.stdin.flush()
    assert first.stdout.readline().startswith("epoch 1 ")
    for flag in ({}, {"restore": True}, {"delete": True}):
        assert main(words(".", epochs=20, max_batches_per_epoch=40, log="console", **flag)) == 2
        assert f"The experiment `run` is being trained by process {first.pid};" in only_error(capsys)
    first.communicate()
    assert first.returncode == 0
    weights = [Path("models", run, "generator.safetensors").read_bytes() for run in ("run", "whole")]
    assert weights[0] == weights[1] and whole.epoch == 20


def test_a_lock_is_let_go_when_a_run_cannot_begin():
    with pytest.raises(ValueError, match="must be a power of two"):
        play(generator="conv", generator_layers=None, image_size=12)
    play()
