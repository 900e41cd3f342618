"""The benchmark compares like with like: both loops end with the same weights."""

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))  # the benchmarks lie beside the package, not in it

from benchmarks.step import difference, ganzo_and_loop, play, settled

from benchmarks import step
from ganzo.options import make_options

TURNS = 25  # more than a pass of 22


class Maker(nn.Module):
    """Ganzo's networks of these sizes ignore labels; this one does not."""

    def __init__(self, *, image_size: int = 8, image_colors: int = 1, state_size: int = 8, classes: int = 10):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Linear(state_size + classes, 16),
            nn.BatchNorm1d(16),
            nn.ReLU(),
            nn.Linear(16, image_size**2),
            nn.Tanh(),
        )
        self.shape = (image_colors, image_size, image_size)

    def forward(self, noise, labels=None):
        hot = nn.functional.one_hot(labels, self.classes).to(noise)
        return self.layers(torch.cat([noise, hot], 1)).reshape(-1, *self.shape)


class Judge(nn.Module):
    def __init__(self, *, image_size: int = 8, image_colors: int = 1, classes: int = 10):
        super().__init__()
        self.first = nn.Conv2d(image_colors, 8, 4, 2, 1)
        self.last = nn.Linear(8 * (image_size // 2) ** 2, 1)
        self.classes = nn.Embedding(classes, 8 * (image_size // 2) ** 2)

    def forward(self, images, labels=None):
        features = nn.functional.leaky_relu(self.first(images), 0.2).flatten(1)
        return self.last(features) + (features * self.classes(labels)).sum(1, keepdim=True)


def tiny(**values):
    values = {"dataset": "digits", "image_size": 8, "image_colors": 1, "batch_size": 64, "state_size": 8,
              "generator": f"{__file__}:Maker", "discriminator": f"{__file__}:Judge", "precision": "fp32",
              "lr": 1e-3, "beta2": 0.99, "seed": 3} | values  # fmt: skip
    return settled(make_options(**values), layout=False, threads=1)


def both(**values):
    parts, loop = ganzo_and_loop(tiny(**values))
    start = [weight.clone() for weight in loop.generator.parameters()]
    play(parts, TURNS)
    loop.play(TURNS)
    assert not any(torch.equal(a, b) for a, b in zip(start, loop.generator.parameters(), strict=True))
    return difference(parts, loop)


@pytest.mark.parametrize("reuse_fakes", [False, True])
@pytest.mark.parametrize("loss", ["gan", "hinge", "relativistic", "wgan", "wgan-gp"])
def test_both_loops_do_the_same_work(loss, reuse_fakes):
    r1 = {"name": "r1", "weight": 0.5, "every": 4}
    assert both(loss=loss, reuse_fakes=reuse_fakes, generator_hook="ema", regularizer=[r1]) == 0


PENALTIES = [
    [],
    [{"name": "r1", "weight": 0.5, "every": 1}, {"name": "r2", "weight": 0.25, "every": 2}],
    [{"name": "gradient-penalty", "every": 2}],
]


@pytest.mark.parametrize("regularizer", PENALTIES, ids=["none", "r1-r2", "slope"])
def test_penalties_are_the_same(regularizer):
    assert both(loss="hinge", regularizer=regularizer) == 0


def test_several_moves_and_an_average_without_ramp_are_the_same():
    values = {"discriminator_iterations": 3, "generator_iterations": 2, "ema_decay": 0.9, "ema_ramp": False}
    assert both(loss="hinge", reuse_fakes=True, generator_hook="ema", **values) == 0


def test_bf16_and_channels_last_are_the_same():
    options = settled(tiny(loss="hinge", precision="bf16"), layout=True, threads=1)
    parts, loop = ganzo_and_loop(options)
    play(parts, 3)
    loop.play(3)
    assert options.precision == "bf16" and difference(parts, loop) == 0


@pytest.mark.parametrize("layers", [{"generator": "conv", "discriminator": "conv"}])
def test_networks_of_convolutions_are_the_same(layers):
    assert both(loss="hinge", image_size=8, discriminator_spectral_norm=True, **layers) == 0


def test_the_difference_is_seen():
    assert both(loss="hinge", reuse_fakes=True) == 0
    parts, loop = ganzo_and_loop(tiny(loss="hinge", reuse_fakes=True))
    play(parts, 2)
    loop.play(3)
    assert difference(parts, loop) > 1e-4


@pytest.mark.parametrize(
    "values",
    [{"soft_labels": True}, {"augment": "diffaugment"}, {"discriminator_hook": "weight-clipper"}],
    ids=["loss", "augment", "hooks"],
)
def test_what_the_hand_written_loop_lacks_is_refused(values, request):
    with pytest.raises(SystemExit, match=request.node.callspec.id):
        ganzo_and_loop(tiny(**values))


def test_windows_table_and_record(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(step.ROWS, "conv", lambda folder: tiny(loss="hinge"))
    arguments = ["--rows", "conv", "--seconds", "0.02", "--rounds", "3", "--threads", "1"]
    (row,) = step.main([*arguments, "--record", str(tmp_path / "records" / "step.json")])
    assert "conv" in capsys.readouterr().out
    record = json.loads((tmp_path / "records" / "step.json").read_text())
    assert record["rows"][0]["windows"] == row["windows"] and len(row["windows"]) == 3
    assert record["machine"]["cores"] and record["seed"] == step.SEED
    assert row["weights_differ_by"] == 0 and row["ratio_spread"][0] <= row["ratio_paired"]


def test_an_unknown_row_is_an_error(capsys):
    with pytest.raises(SystemExit):
        step.main(["--rows", "cnov"])
    assert "cnov" in capsys.readouterr().err
