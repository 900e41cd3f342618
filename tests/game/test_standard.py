import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganzo.assemble import assemble
from ganzo.data import Batch
from ganzo.data.arrays import ArrayData
from ganzo.errors import DataError, OptionError
from ganzo.game import Game
from ganzo.game.epochs import EpochGame
from ganzo.game.standard import StandardGame
from ganzo.hook import Hook
from ganzo.loss.gan import GANLoss
from ganzo.loss.relativistic import RelativisticLoss
from ganzo.loss.wgan import WGANLoss
from ganzo.loss.wgan_gp import WGANGPLoss
from ganzo.nn.critic import Critic
from ganzo.nn.record import scores_of
from ganzo.noise.gaussian import GaussianNoise
from ganzo.registry import Registry, register
from ganzo.regularizer.gradient_penalty import GradientPenalty
from small import equal, play, small


class Painter(nn.Module):
    """A generator that writes down how it was asked."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 4)
        self.asked = []

    def forward(self, noise, labels=None):
        image = self.layer(noise).tanh().reshape(-1, 1, 2, 2)
        self.asked.append(SimpleNamespace(labels=labels, graph=image.requires_grad))
        return image


class Judge(nn.Module):
    """A discriminator that writes down how it was asked."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.asked = []

    def forward(self, images, labels=None):
        self.asked.append(
            SimpleNamespace(images=images, labels=labels, learns=self.layer.weight.requires_grad)
        )
        return self.layer(images.flatten(1))


class Counter(Hook):
    """Counts the moves of a player, and writes down who has gradients."""

    def __init__(self, other=None):
        self.moves, self.other, self.leaked = 0, other, False

    def apply(self, model):
        self.moves += 1
        self.leaked |= self.other is not None and any(p.grad is not None for p in self.other.parameters())


def players(loss=GANLoss, game=StandardGame, **named):
    torch.manual_seed(0)
    generator, discriminator = Painter(), Judge()
    hooks = {"generator": [Counter()], "discriminator": [Counter(generator)]}
    return game(generator, discriminator, loss(Critic(discriminator)), hooks, **named)


def digits(count=12, batch_size=4, labels=True):
    images = torch.randint(
        0, 256, (count, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    return ArrayData(images, torch.arange(count) % 3 if labels else None, batch_size=batch_size, seed=1)


def noise():
    return GaussianNoise(state_size=2, batch_size=4, seed=1)


@pytest.mark.parametrize(("d", "g"), [(1, 1), (2, 1), (1, 3), (3, 2)])
def test_moves_in_a_turn(d, g):
    game = players(discriminator_iterations=d, generator_iterations=g)
    game.run_epoch(digits(), noise())
    assert game.turns == 3 // d
    assert game.discriminator.hooks[0].moves == d * game.turns
    assert game.generator.hooks[0].moves == g * game.turns
    assert len(game.generator.network.asked) == (d + g) * game.turns
    assert game.images == 4 * d * game.turns


def test_the_discriminators_fakes_have_no_graph_and_the_generators_have():
    game = players(discriminator_iterations=2)
    game.run_epoch(digits(), noise())
    assert [asked.graph for asked in game.generator.network.asked] == [False, False, True]


def test_the_discriminator_is_frozen_in_the_generators_move_and_no_gradient_is_left_in_the_other_player():
    game = players()
    seen = []

    class Spy(Hook):
        def apply(self, model):
            seen.append([weight.grad.clone() for weight in model.parameters()])

    game.discriminator.hooks.append(Spy())
    game.run_epoch(digits(count=4), noise())
    asked = game.discriminator.network.asked
    assert [a.learns for a in asked] == [True, True, False]  # real, fake; then the generator's images
    assert not game.discriminator.hooks[0].leaked  # into the generator, by the discriminator's move
    left = [weight.grad for weight in game.discriminator.network.parameters()]
    assert equal(left, seen[0])  # the generator's move added nothing
    assert all(weight.requires_grad for weight in game.discriminator.network.parameters())


def test_the_discriminator_thaws_even_after_an_error():
    game = players()
    with pytest.raises(ZeroDivisionError), game.discriminator.frozen():
        raise ZeroDivisionError
    assert all(weight.requires_grad for weight in game.discriminator.network.parameters())


def test_weights_that_were_frozen_before_stay_so():
    game = players()
    game.discriminator.network.layer.bias.requires_grad_(False)
    with game.discriminator.frozen():
        pass
    assert not game.discriminator.network.layer.bias.requires_grad


@pytest.mark.parametrize(("d", "g", "forwards"), [(1, 1, 1), (2, 1, 2), (1, 2, 2), (2, 3, 4)])
def test_reusing_fakes_saves_a_pass_through_the_generator(d, g, forwards):
    game = players(reuse_fakes=True, discriminator_iterations=d, generator_iterations=g)
    game.run_epoch(digits(count=4 * d), noise())
    assert len(game.generator.network.asked) == forwards
    judged = game.discriminator.network.asked
    assert torch.equal(judged[2 * d - 1].images, judged[2 * d].images)  # the last fakes are judged again
    assert not judged[2 * d - 1].images.requires_grad and judged[2 * d].images.requires_grad
    assert not game.discriminator.hooks[0].leaked


def test_without_reuse_the_generator_is_judged_by_new_images():
    game = players()
    game.run_epoch(digits(count=4), noise())
    judged = game.discriminator.network.asked
    assert not torch.equal(judged[1].images, judged[2].images)


def test_fakes_have_the_labels_of_the_real_batch():
    game, data = players(discriminator_iterations=2, generator_iterations=2), digits(count=8)
    labels = [data.next().label, data.next().label]
    data = digits(count=8)
    game.run_epoch(data, noise())
    assert equal([a.labels for a in game.generator.network.asked], [*labels, labels[1], labels[1]])
    assert equal(
        [a.labels for a in game.discriminator.network.asked],
        [labels[0], labels[0], labels[1], labels[1], labels[1], labels[1]],
    )


def test_without_labels_the_networks_are_asked_without():
    game = players()
    game.run_epoch(digits(labels=False), noise())
    assert {a.labels for a in (*game.generator.network.asked, *game.discriminator.network.asked)} == {None}


def test_players_see_real_images_as_floats():
    game = players()
    game.run_epoch(digits(count=4), noise())
    real = game.discriminator.network.asked[0].images
    assert real.dtype == torch.float32 and real.min() >= -1 and real.max() <= 1 and real.unique().numel() > 2


def test_a_loss_that_compares_is_handed_real_images():
    game = players(loss=RelativisticLoss)
    game.run_epoch(digits(count=4), noise())
    judged = game.discriminator.network.asked
    assert len(judged) == 4 and torch.equal(judged[0].images, judged[3].images)


class Penalty:
    """A penalty of 1 that pulls at nothing, and counts."""

    key = ""

    def __init__(self, every):
        self.every, self.taken = every, 0

    def penalty(self, critic, real, fake):
        self.taken += 1
        assert not fake.requires_grad
        return critic(real).sum() * 0 + 1.0


def test_a_lazy_penalty_is_taken_now_and_then_and_weighs_more():
    lazy = Penalty(every=3)
    rich, plain = (
        players(regularizers=penalties).run_epoch(digits(7 * 4), noise())["discriminator"]
        for penalties in ([lazy], [])
    )
    assert lazy.taken == 3  # in turns 0, 3 and 6 of 7
    assert rich - plain == pytest.approx(3 * 3 / 7)


def test_a_penalty_that_is_a_number_is_told_too():
    steady = SimpleNamespace(key="steady", penalty=lambda critic, real, fake: 5.0)
    rich, plain = (
        players(regularizers=penalties).run_epoch(digits(8), noise())["discriminator"]
        for penalties in ([steady], [])
    )
    assert rich - plain == pytest.approx(5)


def test_means_are_means_over_the_epoch():
    class Counts(Game):
        def step(self, batches, noise):
            next(batches)
            return {"value": torch.tensor(float(self.turns))}

    game = players(game=Counts)
    assert game.run_epoch(digits(20), noise()) == {"value": 2.0}  # of 0 … 4
    assert game.run_epoch(digits(20), noise()) == {"value": 7.0}  # of 5 … 9


def test_rounds_change_neither_means_nor_weights():
    one, many = players(), players()
    mean = one.run_epoch(digits(), noise())
    *_, last = rounds = list(many.rounds(digits(), noise(), pause=lambda: True))
    assert len(rounds) == 4 and last == rounds[-2] == mean
    assert equal(one.state_dict(), many.state_dict())
    assert equal(dict(one.generator.network.state_dict()), dict(many.generator.network.state_dict()))


def test_a_cap_ends_the_epoch_and_the_next_goes_on_where_the_pass_stopped():
    game, data = players(max_batches_per_epoch=2), digits(20)
    order = data.order.clone()
    for _ in range(2):
        game.run_epoch(data, noise())
    assert game.turns == 4 and data.position == 16 and torch.equal(data.order, order)
    game.run_epoch(data, noise())  # one turn was left
    assert game.turns == 5 and data.position == 0 and not torch.equal(data.order, order)


@pytest.mark.parametrize(
    ("batches", "d", "cap", "turns"), [(3, 1, 3, 3), (5, 2, 2, 2), (4, 2, 2, 2), (6, 1, 3, 3)]
)
def test_a_cap_at_the_very_end_of_a_pass(batches, d, cap, turns):
    """What is left of the pass is no whole turn, so the next epoch begins with a new pass."""
    game, data = players(discriminator_iterations=d, max_batches_per_epoch=cap), digits(4 * batches)
    for epoch in range(1, 4):
        game.run_epoch(data, noise())
        assert game.turns == epoch * turns


def test_a_turn_never_starts_with_half_of_its_batches():
    game, data = players(discriminator_iterations=2), digits(5 * 4)
    game.run_epoch(data, noise())
    assert game.turns == 2 and game.images == 16
    assert data.position == 0  # the fifth batch was left, and the next pass has begun


def test_a_pass_with_less_than_one_turn_is_refused():
    with pytest.raises(DataError, match="One turn takes 4 batches, and one pass of the data has fewer"):
        players(discriminator_iterations=4).run_epoch(digits(), noise())


class OneMethod(Game):
    """A new kind of GAN: both moves with one minibatch."""

    def train_on_instance(self, z, x, y):
        self.shapes = (z.shape, x.shape, y.shape)
        d_loss = self.loss.for_discriminator(x, self.generator(z, y).detach(), y)
        self.discriminator.move(d_loss)
        with self.discriminator.frozen():
            g_loss = self.loss.for_generator(self.generator(z, y), y)
            self.generator.move(g_loss)
        return {"generator": g_loss, "discriminator": d_loss}


def test_one_method_makes_a_game():
    game = players(game=OneMethod)
    means = game.run_epoch(digits(), noise())
    assert game.shapes == ((4, 2), (4, 1, 2, 2), (4,))
    assert set(means) == {"generator", "discriminator"} and game.turns == 3
    assert (game.generator.hooks[0].moves, game.discriminator.hooks[0].moves) == (3, 3)


@pytest.mark.parametrize("iterations", [{"generator_iterations": 2}, {"discriminator_iterations": 2}])
def test_one_minibatch_and_several_moves_are_refused(iterations):
    with pytest.raises(
        OptionError, match=r"OneMethod makes both moves of a turn from one minibatch.*must be 1; got"
    ):
        players(game=OneMethod, **iterations)


def test_the_same_penalty_twice_is_refused():
    with pytest.raises(OptionError, match="The penalty `gradient-penalty` is chosen twice"):
        players(loss=WGANGPLoss, regularizers=[GradientPenalty()])
    with pytest.raises(OptionError, match="chosen twice"):
        players(loss=WGANLoss, regularizers=[GradientPenalty(), GradientPenalty()])
    players(loss=WGANLoss, regularizers=[GradientPenalty()])


class OnlyEpochs:
    """The older kind: built as `cls(options, generator, discriminator, loss, hooks)`, with `run_epoch` alone."""

    def __init__(self, options, generator, discriminator, loss, hooks=None):
        self.options = options

    def run_epoch(self, data, noise):
        assert noise.next().shape == (32, 4)
        return {"generator": torch.tensor(1.0), "discriminator": 2}


@pytest.fixture
def older_game():
    register("game", "older")(OnlyEpochs)
    yield
    del Registry._classes["game"]["older"]


def test_a_game_that_only_knows_epochs_is_wrapped(older_game):
    game = assemble(options := ready(game="older")).game
    assert isinstance(game, EpochGame) and game.inner.options.seed == options.seed
    parts = assemble(ready(game="older"))
    assert list(parts.game.rounds(parts.data, parts.noise)) == [{"generator": 1.0, "discriminator": 2.0}]
    assert parts.game.state_dict()["inner"] == {} and parts.game.turns == 1


def test_what_is_selected_but_not_wanted_is_refused(older_game):
    with pytest.raises(
        OptionError, match="The game `older` knows no penalties, so `--regularizer` must be left out"
    ):
        assemble(ready(game="older", regularizer=["r1"]))
    assert [r.key for r in assemble(ready(regularizer=["r1", "r2"])).game.regularizers] == ["r1", "r2"]


def ready(**changed):
    options = small(**changed)
    options.device, options.folder = "cpu", "."
    return options


def test_options_build_the_game_that_keywords_build():
    game = assemble(ready(reuse_fakes=True, discriminator_iterations=3, generator_iterations=2)).game
    assert (game.reuse_fakes, game.discriminator_iterations, game.generator_iterations) == (True, 3, 2)
    assert game.max_batches_per_epoch == 3


def test_a_restored_game_goes_on_inside_an_epoch():
    whole, first = players(), players()
    mean = whole.run_epoch(digits(), noise())
    data, z = digits(), noise()
    stretch = first.rounds(data, z, pause=lambda: True)
    next(stretch)
    next(stretch)
    state, networks = (
        copy.deepcopy(x)
        for x in (first.state_dict(), {n: m.state_dict() for n, m in first.networks().items()})
    )
    second = players()
    second.load_state_dict(state)
    for name, network in second.networks().items():
        network.load_state_dict(networks[name])
    assert (second.turns, second.turns_of_epoch) == (2, 2)
    assert second.run_epoch(data, z) == mean
    assert second.turns == 3 and second.turns_of_epoch == 0


def test_data_of_the_older_kind_may_hand_out_pairs():
    class Pairs:
        left = 2

        def next(self):
            self.left -= 1
            return (torch.zeros(4, 1, 2, 2), None) if self.left >= 0 else None

        def reset(self):
            self.left = 2

    game = players()
    game.run_epoch(Pairs(), noise())
    assert game.turns == 2


def test_targets_and_masks_reach_the_step():
    class Sees(Game):
        def step(self, batches, noise):
            self.batch = next(batches)
            return {"value": torch.zeros(())}

    class Data:
        def next(self):
            picture = torch.full((1, 1, 2, 2), 255, dtype=torch.uint8)
            return Batch(picture, None, picture, torch.ones(1, 1, 2, 2))

    game = players(game=Sees, max_batches_per_epoch=1)
    game.run_epoch(Data(), noise())
    assert game.batch.target.max() == 1.0 and game.batch.mask.shape == (1, 1, 2, 2)


def test_bf16_trains_in_half_precision_and_keeps_weights_whole():
    seen = []

    class Watching(Judge):
        def forward(self, images, labels=None):
            out = super().forward(images, labels)
            seen.append(out.dtype)
            return out

    generator, discriminator = Painter(), Watching()
    game = StandardGame(generator, discriminator, GANLoss(Critic(discriminator)), precision="bf16")
    means = game.run_epoch(digits(), noise())
    assert set(seen) == {torch.bfloat16} and all(w.dtype == torch.float32 for w in generator.parameters())
    assert means["generator"] == pytest.approx(0.7, abs=0.3)


class Adaptive(GANLoss):
    """A loss that learns something of its own."""

    seen = 0

    def for_generator(self, fake, target=None, labels=None):
        self.seen += 1
        return super().for_generator(fake, target, labels)

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


def test_what_a_loss_learns_is_in_the_games_state():
    def game():
        generator, discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
        return StandardGame(generator, discriminator, Adaptive(discriminator))

    played, other = game(), game()
    played.loss.seen = 7
    other.load_state_dict(played.state_dict())
    assert other.loss.seen == 7


class Scales(nn.Module):
    """A generator that makes an image at two scales, small to large."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 5)

    def forward(self, noise, labels=None):
        numbers = self.layer(noise)
        return [numbers[:, :1, None, None], numbers[:, 1:].reshape(-1, 1, 2, 2)]


class ScaleJudge(nn.Module):
    """A discriminator that judges one image, or a list of scales."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, images, labels=None):
        return self.layer((images[-1] if isinstance(images, list) else images).flatten(1))


@pytest.mark.parametrize("reuse_fakes", [False, True])
def test_a_generator_may_make_several_scales(reuse_fakes):
    data = ArrayData(torch.zeros(8, 1, 2, 2), batch_size=4, seed=1)
    discriminator = ScaleJudge()
    game = StandardGame(Scales(), discriminator, GANLoss(discriminator), reuse_fakes=reuse_fakes)
    assert set(game.run_epoch(data, GaussianNoise(state_size=2, batch_size=4, seed=1))) == {
        "generator",
        "discriminator",
    }


def test_a_game_may_need_more_players(registry):
    @register("game", "cycle")
    class Cycle(StandardGame):
        """A game of three."""

        @classmethod
        def other_players(cls, options):
            return {"discriminator_b": nn.Linear(3, 1)}

    parts = assemble(small(game="cycle", generator_lr=1e-3, discriminator_lr=5e-3, discriminator_hook="ema"))
    third = parts.game.players["discriminator_b"]
    assert third.optimizer.param_groups[0]["lr"] == 5e-3 and third.average is not None
    assert {"discriminator_b", "discriminator_b-average"} <= set(parts.game.networks())


def test_penalties_see_what_an_older_loss_does_not():
    class OlderLoss:
        def __init__(self, options, discriminator):
            self.discriminator = discriminator

        def for_discriminator(self, real, fake, target=None):
            return self.discriminator(fake).mean() - self.discriminator(real).mean()

        def for_generator(self, fake, target=None):
            return -self.discriminator(fake).mean()

    discriminator = nn.Linear(2, 1)
    critic = Critic(discriminator, [lambda images: images + 1])
    game = StandardGame(nn.Linear(2, 2), discriminator, OlderLoss(None, critic), critic=critic)
    assert game.critic is critic


def test_a_run_hands_its_critic_to_the_game(registry):
    @register("loss", "older")
    class OlderLoss:
        def __init__(self, options, discriminator):
            self.discriminator = discriminator

        def for_discriminator(self, real, fake, target=None):
            return self.discriminator(fake).mean() - self.discriminator(real).mean()

        def for_generator(self, fake, target=None):
            return -self.discriminator(fake).mean()

    game = assemble(small(loss="older", augment=["diffaugment"], regularizer=["r1"])).game
    assert len(game.critic.augment) == 1  # so that a penalty sees what the discriminator sees


def test_each_player_has_a_learning_rate_of_its_own_in_the_record(registry):
    @register("game", "three")
    class Three(StandardGame):
        """A game of three."""

        @classmethod
        def other_players(cls, options):
            return {"discriminator_b": nn.Linear(3, 1)}

    line = play(game="three", generator_lr=1e-3, discriminator_lr=5e-3).history[-1]
    assert (line["lr_g"], line["lr_d"], line["lr_discriminator_b"]) == (1e-3, 5e-3, 5e-3)
    assert not scores_of(line)
