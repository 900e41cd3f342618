"""What moves a player: each kind against the formula of its paper, by name, and from any module."""

from argparse import Namespace

import pytest
import torch
from torch import nn

from ganzo.optimizer import Optimizer
from ganzo.optimizer.adamw import AdamW
from ganzo.optimizer.rmsprop import RMSprop
from ganzo.optimizer.sgd import SGD
from small import everything, play, small


def moved(cls, *gradients, start=1.0, **settings):
    """Where a weight lies after steps with these gradients."""
    weight = nn.Parameter(torch.tensor([start]))
    optimizer = cls([weight], **settings)
    for gradient in gradients:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    return weight.item()


def test_sgd_walks_down_the_gradient():
    assert moved(SGD, 2.0, lr=0.1) == pytest.approx(1 - 0.2)


def test_its_momentum_takes_a_part_of_the_last_step_again():
    assert moved(SGD, 2.0, 0.0, lr=0.1, momentum=0.5) == pytest.approx(1 - 0.2 - 0.1)


def test_nesterov_looks_ahead():
    assert moved(SGD, 2.0, lr=0.1, momentum=0.5, nesterov=True) == pytest.approx(1 - 0.1 * (2 + 0.5 * 2))


def test_rmsprop_divides_by_the_root_mean_square():
    # the mean of the squares is 0.25 × 4 = 1 after the first step: its root is 1
    assert moved(RMSprop, 2.0, lr=0.1, alpha=0.75) == pytest.approx(1 - 0.1 * 2 / 1)


def test_the_weight_decay_of_adamw_shrinks_the_weight_itself():
    # without a gradient nothing else moves it
    assert moved(AdamW, 0.0, lr=0.1, weight_decay=0.5) == pytest.approx(1 - 0.1 * 0.5)
    assert moved(AdamW, 3.0, lr=0.1, weight_decay=0.5) == pytest.approx(1 - 0.05 - 0.1, abs=1e-6)


def test_each_player_has_its_own():
    options = small(
        generator_optimizer="adamw:weight_decay=0.02", discriminator_optimizer="sgd", discriminator_lr=0.5
    )
    made = Optimizer.for_players(options, generator=nn.Linear(2, 2), discriminator=nn.Linear(2, 2))
    assert isinstance(made["generator"], AdamW) and isinstance(made["discriminator"], SGD)
    assert made["generator"].param_groups[0]["weight_decay"] == 0.02
    assert made["discriminator"].param_groups[0]["lr"] == 0.5


def test_one_for_both_from_the_command_line(ganzo, tiny):
    said = ganzo(f"{tiny} --dry-run --optimizer rmsprop --lr 0.01 --alpha 0.9")
    assert said.status == 0, said.err
    for key in ("generator_lr", "discriminator_lr"):
        assert f"{key} 0.01".split() in [line.split()[:2] for line in said.out.splitlines()]


def test_nesterov_without_momentum_is_refused(refused, tiny):
    sentence = refused(f"{tiny} --experiment x --generator-optimizer sgd:nesterov=true")
    assert sentence == "`nesterov` of `sgd` needs a `momentum` above 0; got 0. Try 0.9."


# --- a class of anybody's


def test_a_class_of_torch(ganzo, tiny, own_folder):
    words = "--generator-optimizer torch.optim:NAdam:lr=0.5,momentum_decay=0.1 --generator-betas 0.1,0.2"
    assert ganzo(f"{tiny} --experiment x {words}").status == 0
    state = torch.load(next(own_folder.glob("models/x/checkpoints/*/state.pt")), weights_only=True)
    group = state["parts"]["game"]["players"]["generator"]["optimizer"]["param_groups"][0]
    assert (group["lr"], group["momentum_decay"], list(group["betas"])) == (0.5, 0.1, [0.1, 0.2])
    assert ganzo(f"{tiny} --experiment x {words} --restore --epochs 2").status == 0


def test_a_class_of_torch_is_restored_bit_for_bit():
    words = {"generator_optimizer": "torch.optim:NAdam", "discriminator_optimizer": "torch.optim:Adagrad"}
    whole = play(experiment="whole", epochs=3, **words)
    play(epochs=1, **words)
    restored = play(epochs=3, restore=True, **words)
    assert str(everything(whole)) == str(everything(restored))


def test_a_class_from_a_file_and_its_settings(ganzo, tiny, own_folder, registry):
    (own_folder / "mine.py").write_text(
        "import torch\n\nclass Slow(torch.optim.SGD):\n"
        "    def __init__(self, params, lr=1e-3, factor=1, up=False):\n"
        "        super().__init__(params, lr=lr * factor, maximize=up)\n"
    )
    said = ganzo(f"{tiny} --experiment x --discriminator-optimizer mine.py:Slow:lr=0.5,factor=0.1,up=true")
    assert said.status == 0, said.err
    state = torch.load(next(own_folder.glob("models/x/checkpoints/*/state.pt")), weights_only=True)
    group = state["parts"]["game"]["players"]["discriminator"]["optimizer"]["param_groups"][0]
    assert group["lr"] == pytest.approx(0.05) and group["maximize"] is True


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "torch.optim:NAdam:lr=-1",
            "`torch.optim:NAdam` refuses what it was given: Invalid learning rate: -1.0.",
        ),
        ("torch.optim:LBFGS", "`torch.optim:LBFGS` asks for the loss again within a step"),
        ("mine.py:Other", "must be a `torch.optim.Optimizer`; `mine.py:Other` lacks param_groups, step"),
    ],
)
def test_a_class_that_moves_nothing_is_refused(refused, tiny, own_folder, registry, name, sentence):
    (own_folder / "mine.py").write_text("class Other:\n    def __init__(self, params): pass\n")
    assert sentence in refused(f"{tiny} --experiment x --generator-optimizer {name}")


def test_a_player_gets_one_optimizer():
    with pytest.raises(ValueError, match="`generator_optimizer` takes one component; got 2"):
        Optimizer.for_player(Namespace(generator_optimizer=["adam", "sgd"]), "generator", nn.Linear(1, 1))
