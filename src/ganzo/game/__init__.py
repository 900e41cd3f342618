"""Games: who moves when."""

from abc import ABC
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganzo.game.checks import check, check_asked, check_penalties_known, check_read, pass_too_short
from ganzo.game.player import Player, default_optimizer
from ganzo.nn import in_step, ranks
from ganzo.nn.batch import Batch
from ganzo.nn.compiled import Compiled
from ganzo.nn.critic import Critic, as_critic, judges_singly
from ganzo.nn.pixels import to_float
from ganzo.nn.precision import Precision
from ganzo.registry import (
    Count,
    Facade,
    Registry,
    chosen,
    lazily,
    parameters,
    role_of,
)

__all__ = ["Game", "Player"]


class Game(Facade, ABC):
    """Draws the arrows between data, noise, the players and the loss. Only a game calls `backward`.

    A new kind of GAN overrides `train_on_instance`, which gets one minibatch and makes both moves. A game with turns
    of its own overrides `step`.

    Args:
        generator: noise to images
        discriminator: images to logits
        loss: what each player wants to make small
        hooks: what happens to a player after it moved: a list for each player
        optimizers: what moves each player
        regularizers: penalties that are added to the discriminator's loss
        critic: what penalties judge through; none for the loss's own
        others: further networks by name, for games of more than two players
        encoder: from stored values to what the players see
        precision: in what numbers the networks compute: fp32, bf16, or fp16 with scaled losses
        compile: let the networks be compiled; penalties judge through the discriminator as it is
        cuda_graphs: let what is compiled be recorded and replayed as CUDA graphs
        generator_iterations: moves of the generator in one turn
        discriminator_iterations: moves of the discriminator in one turn, each with a minibatch of its own
        max_batches_per_epoch: turns after which an epoch ends before its data do; none for no cap
        accumulate: batches whose gradients are gathered for one move, as if they were one larger batch (what looks at a
            whole batch, as a batch norm, still sees each alone)
        one_pass: let the discriminator judge real and fake images in one pass; refused where it has a batch norm; none
            to do so where it is known to change nothing
    """

    namespace: ClassVar[str] = "game"
    translates: ClassVar[bool] = False  # whether it turns images into images, which takes pairs

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any,
        hooks: Mapping[str, Sequence[Any]] | None = None,
        *,
        optimizers: Mapping[str, torch.optim.Optimizer] | None = None,
        regularizers: Sequence[Any] = (),
        critic: Critic | None = None,
        others: Mapping[str, nn.Module] | None = None,
        encoder: Any = None,
        precision: str = "fp32",
        compile: bool = False,
        cuda_graphs: bool = False,
        generator_iterations: Count = 1,
        discriminator_iterations: Count = 1,
        max_batches_per_epoch: Count | None = None,
        accumulate: Count = 1,
        one_pass: bool | None = None,
    ):
        networks = {"generator": generator, "discriminator": discriminator, **(others or {})}
        self.device = next(discriminator.parameters()).device
        self.precision = Precision(precision, self.device)
        self.players = {
            name: Player(
                network,
                (optimizers or {}).get(name) or default_optimizer(network),
                (hooks or {}).get(name, ()),
                parts=accumulate,
                scaler=self.precision.scaler(),
            )
            for name, network in networks.items()
        }
        self.generator, self.discriminator = self.players["generator"], self.players["discriminator"]
        self.loss = loss
        self.critic = critic or as_critic(getattr(loss, "critic", discriminator))
        self.regularizers = list(regularizers)
        self.encode = encoder.encode if encoder is not None else lambda stored: to_float(stored, self.device)
        self.one_pass = one_pass
        self.critic.one_pass = judges_singly(discriminator) if one_pass is None else one_pass
        self.generator_iterations = generator_iterations
        self.discriminator_iterations = discriminator_iterations
        self.max_batches_per_epoch = max_batches_per_epoch
        self.accumulate = accumulate
        # what training asks; penalties, metrics and snapshots go on asking the networks themselves
        if compile:
            for player in self.players.values():
                player.ask = Compiled(player.network, cuda_graphs)
            self.critic.quick = self.discriminator.ask
        self.replays = compile and cuda_graphs
        self.penalised = False  # whether the game asked for penalties
        self.turns = 0  # since the start of the run
        self.turns_of_epoch = 0
        self.images = 0  # real images judged since the start of the run
        self.totals: dict[str, Tensor] = {}
        self.told: dict[str, Tensor] = {}  # the totals of every rank, at the end of the last round
        check(self)

    @classmethod
    def class_from_options(cls, options: Any) -> type["Game"]:
        """The chosen class; `Game` itself stands for a third party's that offers no more than `run_epoch`."""
        found = Registry.lookup("game", chosen(options, role_of("game"))[0].name)
        return found if issubclass(found, Game) else Game

    @classmethod
    def from_options(cls, options: Any, *parts: Any, **offered: Any) -> "Game":
        """Build the chosen game; refuse what is selected but not wanted, and wrap a game that only has `run_epoch`."""
        item = chosen(options, role_of("game"))[0]
        named = {p.name for p in parameters(Registry.lookup("game", item.name))}
        check_penalties_known(item.name, named, offered)
        game = super().from_options(options, *parts, **offered)
        if isinstance(game, Game):
            return game
        check_read(item.name, options, named)
        from ganzo.game.epochs import EpochGame  # it is a Game itself

        return EpochGame(game, *parts, **offered)

    @classmethod
    def other_players(cls, options: Any) -> dict[str, nn.Module]:
        """Networks that the game needs beside the two, by name, built from options.

        One whose name begins with `discriminator` moves by the discriminator's optimizer and hooks, any other by the
        generator's.
        """
        return {}

    @property
    def batches_per_turn(self) -> int:
        """Batches that one turn takes."""
        return self.discriminator_iterations * self.accumulate

    def parts(self, batches: Iterator[Batch]) -> list[Batch]:
        """The batches of one move: one, or as many as gradients are gathered from."""
        return [next(batches) for _ in range(self.accumulate)]

    def train_on_instance(self, z: Tensor, x: Tensor, y: Tensor | None) -> dict[str, Tensor]:
        """Make both moves with one minibatch: noise z (B×S), real images x (B×C×H×W), labels y (B) or None.

        Returns what to log: scalars, still on the device.
        """
        raise AssertionError("a game overrides `step` or `train_on_instance`")

    def step(self, batches: Iterator[Batch], noise: Any) -> dict[str, Tensor]:
        """Play one turn with `batches_per_turn` batches; returns what to log, still on the device."""
        batch = next(batches)
        return self.train_on_instance(noise.next(len(batch), batch.label), batch.image, batch.label)

    def penalty(self, real: Tensor, fake: Tensor, labels: Tensor | None = None) -> Tensor | float:
        """The sum of the penalties that are due in this turn, for the discriminator's loss; a lazy one weighs more."""
        self.penalised = True
        judge, total = self.critic.given(labels), 0.0
        for regularizer in self.regularizers:
            every = getattr(regularizer, "every", 1)
            if self.turns % every == 0:
                total = total + every * regularizer.penalty(judge, real, fake)
        return total

    def run_epoch(self, data: Any, noise: Any) -> dict[str, float]:
        """Play until the data end or the cap is reached; returns the means over the epoch."""
        *_, losses = self.rounds(data, noise)
        return losses

    def rounds(
        self, data: Any, noise: Any, pause: Callable[[], bool] = lambda: False
    ) -> Iterator[dict[str, float]]:
        """Play an epoch in bounded stretches: yield the means when `pause()` is true after a turn, and at the end.

        A game that was restored inside an epoch goes on where it stopped.
        """
        while self.turns_of_epoch != self.max_batches_per_epoch:
            turn = self._take(data)
            # a cap ended the last epoch just before its pass ended
            if turn is None and not self.turns_of_epoch:
                turn = self._take(data)
            if turn is None:
                break
            if self.replays:  # what the last turn's graphs returned may be written over
                torch.compiler.cudagraph_mark_step_begin()
            for name, value in self.step(iter(turn), noise).items():
                total = self.totals.get(name)
                value = value.detach()
                self.totals[name] = value.to(torch.double, copy=True) if total is None else total.add_(value)
            check_asked(self)
            self.turns += 1
            self.turns_of_epoch += 1
            self.images += ranks.whole(sum(len(batch) for batch in turn))
            if pause():
                yield self._means()
        if not self.turns_of_epoch:
            raise pass_too_short(self)
        means = self._means()
        self.turns_of_epoch, self.totals, self.told = 0, {}, {}
        yield means

    def turns_in_epoch(self, batches: int | None) -> int | None:
        """Turns in an epoch of so many batches, or None where that is not known."""
        turns = [t for t in (batches and batches // self.batches_per_turn, self.max_batches_per_epoch) if t]
        return min(turns, default=None)

    def _take(self, data: Any) -> list[Batch] | None:
        """The batches of one whole turn, as the players see them; None at the end of the pass."""
        turn = []
        for _ in range(self.batches_per_turn):
            batch = data.next()
            if batch is None:
                data.reset()
                return None
            turn.append(self._seen(batch if isinstance(batch, Batch) else Batch(*batch)))
        return turn

    def _seen(self, batch: Batch) -> Batch:
        label, target, mask = batch.label, batch.target, batch.mask
        return Batch(
            self.encode(batch.image),
            None if label is None else label.to(self.device, non_blocking=True),
            None if target is None else self.encode(target),
            None if mask is None else mask.to(self.device, non_blocking=True),
        )

    def _means(self) -> dict[str, float]:
        """Means since the epoch began, over all ranks: the one place of a round that waits for the device."""
        in_step.level(self.networks().values())
        self.told = in_step.by_rank(self.totals)
        return {name: float(total.mean()) / self.turns_of_epoch for name, total in self.told.items()}

    @property
    def sampler(self) -> nn.Module:
        """The generator that samples should come from: its moving average where there is one."""
        return self.generator.average or self.generator.network

    def autocast(self) -> torch.autocast:
        """Let what is computed inside use the chosen precision. Each pass opens its own, so that no cast goes stale."""
        return self.precision.autocast()

    def networks(self) -> dict[str, nn.Module]:
        """Every network with weights to save: the players, and their averages as `generator-average`."""
        named = {name: player.network for name, player in self.players.items()}
        averages = {f"{name}-average": p.average for name, p in self.players.items() if p.average is not None}
        return named | averages

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights of `networks()`."""
        return {
            "players": {name: player.state_dict() for name, player in self.players.items()},
            "turns": self.turns,
            "turns_of_epoch": self.turns_of_epoch,
            "images": self.images,
            "totals": self.told or self.totals,
            "parts": [part.state_dict() for part in self._stateful()],
        }

    def _stateful(self) -> list[Any]:
        """Losses, penalties and augmentations that learn or adapt; most have no state."""
        parts = (self.loss, *self.regularizers, *self.critic.augment)
        return [part for part in parts if hasattr(part, "state_dict")]

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        for name, player in self.players.items():
            player.load_state_dict(state["players"][name])
        self.turns, self.turns_of_epoch, self.images = (
            state["turns"],
            state["turns_of_epoch"],
            state["images"],
        )
        self.told = {name: total for name, total in state["totals"].items() if total.dim()}
        self.totals = {name: in_step.own(total).to(self.device) for name, total in state["totals"].items()}
        for part, saved in zip(self._stateful(), state["parts"], strict=True):
            part.load_state_dict(saved)


__getattr__ = lazily(__name__)  # `from ganzo.game import …` finds the classes in this room's files
