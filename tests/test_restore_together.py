"""A run of two processes that is saved and goes on: with two, with one, and after what should not happen."""

import shutil
from pathlib import Path

import pytest
import torch

from ganzo.nn import ranks
from ganzo.nn.drift import checksums, refuse_drift
from ganzo.run import Run
from ganzo.together import joined
from ranked import Started
from small import equal, everything, numbers, play

RICH = {  # much that draws random numbers or keeps a state, all at once
    "loss": "gan", "soft_labels": True, "augment": ["diffaugment"], "regularizer": ["r1"], "r1_every": 2,
    "generator": "conv", "generator_channels": 8, "generator_layers": None, "generator_dropout": 0.3,
    "discriminator_dropout": 0.3, "discriminator_spectral_norm": True, "generator_hook": ["ema"],
    "evaluation_criterion": "generator-loss", "batch_size": 8, "save_images_as": ["folder"], "sample_every": 1,
    "snapshot_size": 4,
}  # fmt: skip


def restored_halfway():
    """Whether four epochs equal two, and two more after a restore, inside of an epoch too."""
    with joined():
        whole = play(experiment="whole", epochs=4, **RICH)
        play(epochs=2, checkpoint_every=0.0, keep_checkpoints=100, **RICH)
        if ranks.ranks().leads:
            # as if it had been killed before the last turn was saved
            shutil.rmtree("models/run/checkpoints/2-6")
        restored = play(epochs=4, restore=True, **RICH)
        same = equal(everything(restored), everything(whole)) and numbers(restored) == numbers(whole)
        states = ranks.everyone(torch.get_rng_state())
        return same, equal(*states), restored.game.turns


@pytest.mark.slow
def test_two_epochs_restored_and_two_more_equal_four_on_two_ranks():
    two = Started(restored_halfway).left()
    # each rank with random numbers of its own
    assert [left.result for left in two] == [(True, False, 12)] * 2, two
    for player in ("generator", "discriminator"):
        files = [Path("models", run, f"{player}.safetensors").read_bytes() for run in ("run", "whole")]
        assert files[0] == files[1]


def going_on(**changed):
    """Go on with a run; returns its turns, and whether its weights are sound."""
    with joined():
        run = play(restore=True, log=["console"], **RICH | changed)
        weights = torch.cat([weight.flatten() for weight in run.game.generator.network.parameters()])
        return run.game.turns, bool(weights.isfinite().all()), torch.initial_seed()


def four_epochs():
    return going_on(epochs=4)


def six_epochs():
    return going_on(epochs=6)


@pytest.mark.slow
def test_one_process_goes_on_as_two_and_two_as_one(capsys):
    play(**RICH)
    first, second = Started(four_epochs).left()
    assert first.result[:2] == second.result[:2] == (12, True), (first, second)
    assert first.result[2] != second.result[2]
    assert (
        "restored at epoch 2, turn 6, where 1 process trained it and now 2 do; those that join draw from fresh random"
        " streams" in first.out
    )
    capsys.readouterr()
    assert six_epochs()[:2] == (18, True)
    assert (
        "restored at epoch 4, turn 12, where 2 processes trained it and now 1 does\n"
        in capsys.readouterr().out
    )


@pytest.mark.slow
def test_a_rank_must_see_the_folder():
    play(**RICH)
    Path("elsewhere").mkdir()
    first, second = Started(four_epochs, folders={1: Path("elsewhere")}).left()
    assert first.status == second.status == 1
    assert (
        "ganzo.errors.RunError: Every process of a run must see its folder, and rank 1 of 2 does not see"
        " `models/run/checkpoints/2-6`; let `--model-dir` name a folder that all machines share."
        in second.err
    )
    assert "Another process of this run has ended" in first.err


def drifted():
    """A run in which one rank's weights change by themselves."""
    pause = Run.pause

    def drift(run):
        with torch.no_grad():
            if run.game.turns == 4 and ranks.ranks().rank == 1:
                next(run.game.discriminator.network.parameters()).add_(1e-7)
        return pause(run)

    Run.pause = drift
    with joined():
        play(**RICH, checkpoint_every=0.0)


@pytest.mark.slow
def test_weights_that_drift_apart_end_the_run():
    first, second = Started(drifted).left()
    assert first.status == second.status == 1
    assert (
        "RunError: All processes of a run must have the same weights, and those of rank 1 have drifted from those of"
        " rank 0 (first in the discriminator, `" in first.err
    )
    assert "ganzo.errors.Followed: rank 0 says why" in second.err
    assert max(path.name for path in Path("models/run/checkpoints").iterdir()) == "1-3"


def test_changes_that_cancel_each_other_change_a_checksum(monkeypatch):
    from ganzo.nn import drift

    monkeypatch.setattr(drift, "PIECE", 4)
    network = torch.nn.Linear(1, 8)
    for before, after in (
        ([1.0, 2, 3, 4, 5, 6, 7, 8], [2.0, 1, 3, 4, 5, 6, 7, 8]),
        ([1.0, -1] * 4, [-1.0, 1] * 4),
    ):
        sums = []
        for values in (before, after):
            network.bias.data = torch.tensor(values)
            sums.append(checksums(network)["bias"])
        assert sums[0] != sums[1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_checksum_follows_from_every_bit(dtype):
    network = torch.nn.Linear(3, 2).to(dtype)
    before = checksums(network)
    assert checksums(network) == before and list(before) == ["weight", "bias"]
    with torch.no_grad():
        network.weight.view(-1)[5:6].view(
            {8: torch.int64, 4: torch.int32, 2: torch.int16}[dtype.itemsize]
        ).add_(1)
    after = checksums(network)
    assert after["weight"] != before["weight"] and after["bias"] == before["bias"]
    refuse_drift({"generator": network})  # one process agrees with itself
