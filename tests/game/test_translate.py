import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganzo.assemble import assemble
from ganzo.data import Batch
from ganzo.data.arrays import ArrayData
from ganzo.errors import DataError, OptionError, RegistryError
from ganzo.game.translate import TranslateGame
from ganzo.hook.ema import EMA
from ganzo.loss.gan import GANLoss
from ganzo.loss.pix2pix import Pix2PixLoss
from ganzo.loss.relativistic import RelativisticLoss
from ganzo.loss.wgan import WGANLoss
from ganzo.loss.wgan_gp import WGANGPLoss
from ganzo.metric import Metrics
from ganzo.nn.critic import Critic
from ganzo.nn.examples import Examples
from ganzo.nn.sampling import translate_images
from ganzo.optimizer.adam import Adam
from ganzo.regularizer.gradient_penalty import GradientPenalty
from ganzo.regularizer.r1 import R1
from pairs import TRANSLATES, inverted, pair_pictures
from small import equal, everything, numbers, play, small


class Painter(nn.Module):
    """A translator that writes down how it was asked."""

    translates = True

    def __init__(self, colors=1):
        super().__init__()
        self.layer = nn.Conv2d(1, colors, 1)
        self.asked = []

    def forward(self, images, labels=None):
        made = self.layer(images).tanh()
        self.asked.append(SimpleNamespace(images=images, labels=labels, graph=made.requires_grad, made=made))
        return made


class Judge(nn.Module):
    """A discriminator of pairs that writes down what it was shown."""

    def __init__(self, colors=2, side=2):
        super().__init__()
        self.layer = nn.Linear(colors * side * side, 1)
        self.asked = []

    def forward(self, images, labels=None):
        learns = self.layer.weight.requires_grad
        self.asked.append(SimpleNamespace(images=images, labels=labels, learns=learns))
        return self.layer(images.flatten(1))


def players(loss=GANLoss, colors=1, **named):
    torch.manual_seed(0)
    generator, discriminator = Painter(colors), Judge(1 + colors)
    return TranslateGame(generator, discriminator, loss(Critic(discriminator)), **named)


def pairs(count=12, batch_size=4, **named):
    return inverted(count, 2, batch_size, **named)


@pytest.mark.parametrize(("d", "g"), [(1, 1), (2, 1), (1, 3), (3, 2)])
def test_one_minibatch_feeds_all_moves_of_a_turn(d, g):
    game = players(discriminator_iterations=d, generator_iterations=g)
    game.run_epoch(pairs(), None)
    assert (game.turns, game.images, game.batches_per_turn) == (3, 12, 1)
    asked, judged = game.generator.network.asked, game.discriminator.network.asked
    assert len(asked) == (d + g) * 3 and len(judged) == (2 * d + g) * 3
    for turn in range(3):
        mine = asked[turn * (d + g) : (turn + 1) * (d + g)]
        assert all(torch.equal(a.images, mine[0].images) for a in mine)
        assert [a.graph for a in mine] == [False] * d + [True] * g


def test_the_critic_sees_the_input_before_target_and_output():
    game, data = players(), pairs(count=4)
    game.run_epoch(data, None)
    real, fake, again = (asked.images for asked in game.discriminator.network.asked)
    asked = game.generator.network.asked
    assert torch.equal(real[:, :1], asked[0].images) and torch.allclose(real[:, 1:], -real[:, :1])
    assert torch.equal(fake, torch.cat([asked[0].images, asked[0].made], 1)) and not fake.requires_grad
    assert torch.equal(again, torch.cat([asked[1].images, asked[1].made], 1)) and again.requires_grad
    assert [a.learns for a in game.discriminator.network.asked] == [True, True, False]


@pytest.mark.parametrize("labelled", [False, True])
def test_labels_go_with_their_inputs(labelled):
    labels = torch.arange(12) % 3 if labelled else None
    game = players()
    game.run_epoch(pairs(labels=labels), None)
    kinds = {type(a.labels) for a in (*game.generator.network.asked, *game.discriminator.network.asked)}
    assert kinds == {torch.Tensor if labelled else type(None)}


@pytest.mark.parametrize(("d", "g", "forwards"), [(1, 1, 1), (2, 1, 2), (1, 2, 2), (2, 3, 4)])
def test_reusing_fakes_saves_a_pass_through_the_generator(d, g, forwards):
    game = players(reuse_fakes=True, discriminator_iterations=d, generator_iterations=g)
    game.run_epoch(pairs(count=4), None)
    assert len(game.generator.network.asked) == forwards
    judged = game.discriminator.network.asked
    assert torch.equal(judged[2 * d - 1].images, judged[2 * d].images)  # the last pairs are judged again
    assert not judged[2 * d - 1].images.requires_grad and judged[2 * d].images.requires_grad


def test_reused_fakes_of_one_move_each_play_the_same_game():
    """Without dropout the generator, which has not moved, makes the same outputs again."""
    one, other = players(), players(reuse_fakes=True)
    assert one.run_epoch(pairs(), None) == other.run_epoch(pairs(), None)
    assert equal(dict(one.generator.network.state_dict()), dict(other.generator.network.state_dict()))


@pytest.mark.parametrize("loss", [GANLoss, RelativisticLoss, WGANLoss, WGANGPLoss, Pix2PixLoss])
@pytest.mark.parametrize("colors", [1, 3])
def test_any_loss_moves_both_players(loss, colors):
    data = inverted(12, 2, 4, colors=colors)
    data.examples = Batch(data.examples.image[:, :1], None, data.examples.target)
    penalties = [] if loss is WGANGPLoss else [GradientPenalty(), R1()]
    game = players(loss, colors, regularizers=penalties)
    before = {name: [w.clone() for w in network.parameters()] for name, network in game.networks().items()}
    assert set(game.run_epoch(data, None)) == {"generator", "discriminator"}
    for name, network in game.networks().items():
        assert not equal(before[name], list(network.parameters()))


def test_penalties_see_pairs():
    shapes = []

    class Penalty:
        key = ""

        def penalty(self, critic, real, fake):
            shapes.append((tuple(real.shape), tuple(fake.shape), fake.requires_grad))
            return critic(real).sum() * 0

    players(regularizers=[Penalty()]).run_epoch(pairs(count=4), None)
    assert shapes == [((4, 2, 2, 2), (4, 2, 2, 2), False)]


def test_a_loss_that_compares_is_handed_real_pairs():
    game = players(RelativisticLoss)
    game.run_epoch(pairs(count=4), None)
    judged = game.discriminator.network.asked
    assert len(judged) == 4 and torch.equal(judged[0].images, judged[3].images)


def test_an_older_loss_gets_labels_as_its_second_argument():
    class OlderLoss:
        def __init__(self, options, discriminator):
            self.discriminator = discriminator

        def for_discriminator(self, real, fake, target=None):
            return self.discriminator(fake).mean() - self.discriminator(real).mean()

        def for_generator(self, fake, target=None):
            assert target is None
            return -self.discriminator(fake).mean()

    discriminator = Judge()
    game = TranslateGame(Painter(), discriminator, OlderLoss(None, discriminator))
    assert set(game.run_epoch(pairs(), None)) == {"generator", "discriminator"}


def test_bf16_trains_in_half_precision_and_keeps_weights_whole():
    game = players(Pix2PixLoss, precision="bf16")
    game.run_epoch(pairs(), None)
    assert {a.made.dtype for a in game.generator.network.asked} == {torch.bfloat16}
    assert all(w.dtype == torch.float32 for w in game.generator.network.parameters())


@pytest.mark.parametrize("count", [4, 5, 7, 8, 9, 11])
@pytest.mark.parametrize("cap", [None, 1, 2, 3, 5])
@pytest.mark.parametrize("moves", [1, 3])
def test_many_epochs_end_well(count, cap, moves):
    """The older system took an odd batch at the end of an epoch, and failed."""
    game = players(max_batches_per_epoch=cap, discriminator_iterations=moves)
    data, turns = pairs(count), 0
    for _ in range(7):
        before = game.turns
        game.run_epoch(data, None)
        assert 1 <= game.turns - before <= (cap or 99)
        turns += count // 4 if cap is None else 0
    assert cap is not None or game.turns == turns
    assert {len(a.images) for a in game.generator.network.asked} == {4}


def test_fewer_pairs_than_a_batch_are_refused_at_once():
    with pytest.raises(DataError, match="A batch of 4 needs as many pictures; got 3"):
        pairs(count=3)


def test_pairs_of_the_older_kind_are_played():
    class Pairs:
        def __init__(self):
            self.left = 2

        def next(self):
            self.left -= 1
            image = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
            return (image, image + 255) if self.left >= 0 else None

        def reset(self):
            self.left = 2

    game = players(Pix2PixLoss)
    game.run_epoch(Pairs(), None)
    assert game.turns == 2 and game.discriminator.network.asked[0].images[:, 1].min() == 1.0


@pytest.mark.parametrize("labels", [None, torch.arange(12)])
def test_data_without_targets_are_refused(labels):
    data = ArrayData(torch.zeros(12, 1, 2, 2), labels, batch_size=4)
    with pytest.raises(DataError, match=r"A translation needs a target for each input.*pair-of-images"):
        players().run_epoch(data, None)


def test_an_output_of_another_shape_than_the_target_is_refused():
    with pytest.raises(RegistryError, match=r"targets' shape, \(4, 1, 2, 2\); `Painter` made \(4, 3, 2, 2\)"):
        players(colors=3).run_epoch(pairs(), None)


def test_a_list_of_outputs_is_refused():
    game = players()
    game.generator.network.forward = lambda images, labels=None: [images, images]
    with pytest.raises(RegistryError, match="`Painter` made list"):
        game.run_epoch(pairs(), None)


def test_only_a_game_that_translates_takes_such_a_loss(tmp_path):
    with pytest.raises(OptionError, match="needs pairs; choose `--game translate`"):
        assemble(small(loss="pix2pix"))


@pytest.fixture
def shoes(own_folder):
    return {**TRANSLATES, "loss": "pix2pix", "data_dir": pair_pictures(own_folder / "shoes", count=9)}


RICH = {  # much that draws random numbers or keeps a state, all at once
    "soft_labels": True, "noisy_labels": True, "augment": ["diffaugment"], "regularizer": ["gradient-penalty", "r1"],
    "r1_every": 2, "generator_hook": ["ema"], "discriminator_iterations": 2, "generator_iterations": 2,
    "evaluation_criterion": "generator-loss",
}  # fmt: skip


@pytest.mark.parametrize(
    "more", [{}, {"precision": "bf16", "max_batches_per_epoch": None}, {"reuse_fakes": True}]
)
def test_after_any_turn_the_run_goes_on_as_if_nothing_had_happened(shoes, more):
    options = shoes | RICH | more
    whole = play(experiment="whole", checkpoint_every=0.0, keep_checkpoints=1000, **options)
    assert whole.game.turns >= 4
    for turn in range(whole.game.turns):
        shutil.copytree("models/whole", "models/run")
        for folder in Path("models/run/checkpoints").iterdir():
            if int(folder.name.partition("-")[2]) > turn:
                shutil.rmtree(folder)
        restored = play(restore=True, **options)
        assert equal(everything(restored), everything(whole)), f"after turn {turn}"
        assert numbers(restored) == numbers(whole)
        shutil.rmtree("models/run")


def test_snapshots_and_metrics_change_no_weight(shoes):
    plain = play(experiment="plain", **shoes | RICH)
    drawn = play(**shoes | RICH, save_images_as=["folder"], sample_every=1, snapshot_size=3)
    assert equal(everything(plain), everything(drawn))
    position = drawn._parts["data"].state_dict()
    Metrics({}, metrics_every=1, translates=True).measure(1, drawn._parts["data"], None, drawn.game.sampler)
    assert equal(position, drawn._parts["data"].state_dict())


def test_the_statistics_of_an_average_come_from_inputs(shoes):
    run = play(**shoes, generator_hook=["ema"])
    average = run.game.sampler
    norms = [m for m in average.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and all(norm.num_batches_tracked == 20 for norm in norms) and not average.stale
    assert not torch.equal(
        norms[0].running_mean,
        next(m for m in run.game.generator.network.modules() if isinstance(m, nn.BatchNorm2d)).running_mean,
    )


def test_a_dry_run_shows_inputs_and_targets(ganzo, shoes):
    words = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in shoes.items())
    said = ganzo(f"{words} --no-tune --threads 1 --dry-run")
    assert said.status == 0, said.err
    assert "targets      4×1×16×16 torch.uint8, labels none\ninputs       4×1×16×16" in said.out
    assert "UGenerator: " in said.out and "parameters, gives 4×1×16×16" in said.out


def test_inverting_images_is_learned():
    torch.manual_seed(0)
    from ganzo.discriminator.patch_gan import PatchGANDiscriminator
    from ganzo.generator.u_gen import UGenerator

    generator = UGenerator(layers=2, channels=8, image_size=16, image_colors=1, dropout=None)
    discriminator = PatchGANDiscriminator(receptive_field=16, channels=8, image_size=16, image_colors=2)
    game = TranslateGame(
        generator, discriminator, Pix2PixLoss(Critic(discriminator)), {"generator": [EMA(decay=0.95)]},
        optimizers={
            "generator": Adam(generator.parameters(), lr=2e-3, beta1=0.5, beta2=0.999),
            "discriminator": Adam(discriminator.parameters(), lr=2e-4, beta1=0.5, beta2=0.999),
        },
    )  # fmt: skip
    data, others = inverted(256, batch_size=32), inverted(64, batch_size=32, seed=9, shuffle=False)

    def distance():
        batch, made = next(translate_images(game.sampler, Examples(others, "cpu"), 64))
        return (made - batch.target).abs().mean().item()

    before = distance()
    for _ in range(12):
        game.run_epoch(data, None)
    assert distance() < 0.15 < 3 * 0.15 < before


def test_pairs_without_a_game_for_them_are_refused(refused):
    pair_pictures(Path("pairs"))
    words = "--data-format pair-of-images --data-dir pairs --split horizontal --image-size 16 --batch-size 4 --no-tune"
    assert "the game `standard` has no use for targets; choose `--game translate`" in refused(words)
