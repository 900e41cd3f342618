"""The loops that Ganzo is timed against do the same work as it: they end with the same weights, or lose the same."""

import pytest
import torch
from benchmarks.rows import ROWS
from benchmarks.sides import Networks, Sides, difference, settled
from benchmarks.work import Levers
from torch import nn

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


def played(turns=TURNS, **values):
    """Ganzo and the tuned loop after as many turns, and whether anything moved."""
    sides = Sides(tiny(**values))
    loop = sides.tuned()
    start = [weight.clone() for weight in loop.generator.parameters()]
    sides.ganzo().play(turns)
    sides.side(loop).play(turns)
    assert not any(torch.equal(a, b) for a, b in zip(start, loop.generator.parameters(), strict=True))
    return sides.parts, loop


def apart(**values):
    return difference(*played(**values))


@pytest.mark.parametrize("reuse_fakes", [False, True])
@pytest.mark.parametrize("loss", ["gan", "hinge", "relativistic", "wgan", "wgan-gp"])
def test_both_loops_do_the_same_work(loss, reuse_fakes):
    r1 = {"name": "r1", "weight": 0.5, "every": 4}
    assert apart(loss=loss, reuse_fakes=reuse_fakes, generator_hook="ema", regularizer=[r1]) == 0


PENALTIES = [
    [],
    [{"name": "r1", "weight": 0.5, "every": 1}, {"name": "r2", "weight": 0.25, "every": 2}],
    [{"name": "gradient-penalty", "every": 2}],
]


@pytest.mark.parametrize("regularizer", PENALTIES, ids=["none", "r1-r2", "slope"])
def test_penalties_are_the_same(regularizer):
    assert apart(loss="hinge", regularizer=regularizer) == 0


def test_several_moves_and_an_average_without_ramp_are_the_same():
    values = {"discriminator_iterations": 3, "generator_iterations": 2, "ema_decay": 0.9, "ema_ramp": False}
    assert apart(loss="hinge", reuse_fakes=True, generator_hook="ema", **values) == 0


def test_bf16_and_channels_last_are_the_same():
    sides = Sides(settled(tiny(loss="hinge", precision="bf16"), layout=True, threads=1))
    loop = sides.tuned()
    sides.ganzo().play(3)
    loop.play(3)
    assert sides.options.precision == "bf16" and difference(sides.parts, loop) == 0


def test_networks_of_convolutions_with_spectral_norm_are_the_same():
    networks = {"generator": "conv", "discriminator": "conv", "discriminator_spectral_norm": True}
    assert apart(loss="hinge", **networks) == 0


def test_the_difference_is_seen():
    parts, loop = played(loss="hinge", reuse_fakes=True)
    assert difference(parts, loop) == 0
    loop.play(1)
    assert difference(parts, loop) > 1e-4


@pytest.mark.parametrize(
    "values",
    [{"soft_labels": True}, {"augment": "diffaugment"}, {"discriminator_hook": "weight-clipper"}],
    ids=["loss", "augment", "hooks"],
)
def test_what_the_hand_written_loop_lacks_is_refused(values, request):
    with pytest.raises(SystemExit, match=request.node.callspec.id):
        Sides(tiny(**values)).tuned()


@pytest.mark.parametrize("name", ROWS)
def test_every_row_plays_two_turns_of_each_side_and_ends_with_equal_weights(name, small_rows):
    options = small_rows(name, precision="bf16")
    sides = Sides(settled(options, layout=name.startswith("conv"), threads=1))
    tuned, plain, alone = sides.tuned(), sides.plain(), sides.tuned(Networks)
    before = [weight.clone() for weight in alone.generator.parameters()]
    for side in (sides.ganzo(), sides.side(tuned), sides.side(plain), sides.side(alone)):
        side.play(1)
        side.play(1)  # another side's dropout lies between
    assert difference(sides.parts, tuned) == 0
    assert len(plain.log) == 2 and all(abs(loss) < 1e3 for turn in plain.log for loss in turn)
    assert all(torch.equal(a, b) for a, b in zip(before, alone.generator.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(before, tuned.generator.parameters(), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_the_plain_loop_learns_the_same_and_does_nothing_for_speed(name, small_rows):
    layout = name != "translate"  # dropout draws in the order in which pixels lie
    options = small_rows(name, precision="fp32", reuse_fakes=False, one_pass=False)
    sides = Sides(settled(options, layout=layout, threads=1))
    tuned, plain = sides.tuned(), sides.plain()
    side = sides.side(tuned)
    told = []
    side.inner = lambda turns: told.append(tuned.play(turns))
    side.play(1)
    sides.side(plain).play(1)
    wanted = told[0]["generator"], told[0]["discriminator"]
    # layouts round apart, and five moves of Adam magnify it
    assert plain.log[0] == pytest.approx(wanted, rel=1e-3)
    assert all(weight.is_contiguous() for weight in plain.generator.parameters())
    groups = [*plain.g_adam.param_groups, *plain.d_adam.param_groups]
    assert not any(group["fused"] or group["foreach"] for group in groups)
    # the generator's move too
    assert all(weight.grad is not None for weight in plain.discriminator.parameters())
    assert plain.work.bf16 is False and sides.plain().work.reuse_fakes is False


def test_the_plain_loop_is_in_fp32_where_ganzo_is_in_bf16():
    sides = Sides(tiny(loss="hinge", precision="bf16", reuse_fakes=True))
    assert sides.work.bf16 and sides.work.reuse_fakes
    assert not sides.plain().work.bf16 and not sides.plain().work.reuse_fakes


SWITCHED_OFF = [{"adam": "foreach"}, {"adam": "loop"}, {"without_graph": False}, {"frozen": False}]


@pytest.mark.parametrize("values", SWITCHED_OFF, ids=str)
def test_a_lever_changes_the_time_and_not_the_numbers(values):
    options = tiny(loss="hinge", generator_hook="ema")
    with_it, without = (Sides(options, levers).tuned() for levers in (Levers(), Levers(**values)))
    lost = [loop.play(4) for loop in (with_it, without)]
    assert lost[0] == pytest.approx(lost[1], rel=1e-5)


def test_a_penalty_in_bf16_is_another_number():
    options = tiny(loss="wgan-gp", precision="bf16")
    exact, rough = (Sides(options, Levers(penalty_in_fp32=on)).tuned().play(1) for on in (True, False))
    assert exact["discriminator"] != rough["discriminator"]
    assert exact["discriminator"] == pytest.approx(rough["discriminator"], rel=0.05)


def test_one_pass_over_real_and_fake_is_the_same():
    assert apart(loss="hinge", one_pass=True, turns=4) == 0


def test_one_pass_over_real_and_fake_loses_what_two_lose():
    once, twice = (Sides(tiny(loss="hinge", one_pass=on)).tuned().play(3) for on in (True, False))
    assert once == pytest.approx(twice, rel=1e-5)
