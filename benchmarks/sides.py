"""The sides that are timed against each other: Ganzo, the tuned loop, the plain loop, and the networks alone."""

import copy
import dataclasses
import functools
import itertools
import math
from argparse import Namespace
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from benchmarks.loops import LOSSES, TunedLoop
from benchmarks.plain import PlainLoop
from benchmarks.work import Examples, Levers, Work
from ganzo.assemble import Parts, assemble
from ganzo.game.standard import StandardGame
from ganzo.game.translate import TranslateGame
from ganzo.hook.ema import EMA
from ganzo.nn.random import stream
from ganzo.noise.gaussian import GaussianNoise
from ganzo.registry import build


class Networks(TunedLoop):
    """The passes, losses, penalties, backwards and moves of the tuned loop, and nothing else.

    Every turn sees one batch and one draw of noise that were made before: no data, no encoding, no noise, no average.
    The learning rate is 0, so that the weights stay where they are and the arithmetic is that of the first turn.
    """

    def __init__(self, work: Work, *parts: Any, levers: Levers | None = None):
        still = {name: {**settings, "lr": 0.0} for name, settings in work.adam.items()}
        super().__init__(dataclasses.replace(work, adam=still, ema=None), *parts, levers=levers)
        super().start_pass_if_over()
        self.batch, self.z, self.between = super().next_batch(), super().noise(), super().place()

    def start_pass_if_over(self) -> None:
        """There are no passes."""

    def next_batch(self) -> Any:
        return self.batch

    def noise(self) -> torch.Tensor:
        return self.z

    def place(self) -> torch.Tensor:
        return self.between


class Side:
    """One of those that take turns at playing: what torch's own generators draw (dropout) is its own too.

    Args:
        play: plays so many turns
        device: where

    Attributes:
        threads: in how many threads; none for as many as there are
    """

    def __init__(self, play: Callable[[int], Any], device: str):
        self.inner, self.device = play, torch.device(device)
        self.threads: int | None = None
        self.random = self.drawn()

    def play(self, turns: int) -> Any:
        """Play some turns, and put the random numbers of the others back; returns what the side tells."""
        others = self.drawn()
        self.set(self.random)
        if self.threads is not None and self.threads != torch.get_num_threads():
            torch.set_num_threads(self.threads)
        told = self.inner(turns)
        self.random = self.drawn()
        self.set(others)
        return told

    def drawn(self) -> tuple[Any, Any]:
        """The state of torch's own generators."""
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return torch.get_rng_state(), cuda

    def set(self, state: tuple[Any, Any]) -> None:
        """Set torch's own generators."""
        torch.set_rng_state(state[0])
        if state[1] is not None:
            torch.cuda.set_rng_state(state[1], self.device)


class Sides:
    """Ganzo's parts, and loops with copies of its networks, the same examples and the same random streams.

    Args:
        options: those of the run, settled
        levers: of the tuned loop
    """

    def __init__(self, options: Namespace, levers: Levers | None = None):
        self.options, self.levers = options, levers
        self.parts = assemble(options)
        self.networks = [copy.deepcopy(player.network) for player in self.parts.game.players.values()]
        self.device = str(options.device)

    @functools.cached_property
    def work(self) -> Work:
        """What a turn has to do, for the hand-written loops."""
        return work_of(self.parts, self.options)

    def ganzo(self) -> Side:
        """Ganzo's own `run_epoch`."""
        return Side(lambda turns: play(self.parts, turns), self.device)

    def tuned(self, kind: type[TunedLoop] = TunedLoop) -> TunedLoop:
        """The tuned loop, or another that goes as it does."""
        return kind(self.work, *self.copies(), levers=self.levers)

    def plain(self) -> PlainLoop:
        """The plain loop."""
        work = dataclasses.replace(self.work, bf16=False, reuse_fakes=False, one_pass=False)
        return PlainLoop(work, *self.copies(torch.contiguous_format))

    def side(self, loop: Any) -> Side:
        """A loop that takes its turns."""
        return Side(loop.play, self.device)

    def copies(self, layout: torch.memory_format = torch.preserve_format) -> tuple[Any, ...]:
        """Networks with the first weights, the examples, and random streams at their start."""
        networks = [copy.deepcopy(network) for network in self.networks]
        if layout != torch.preserve_format:
            networks = [network.to(memory_format=layout) for network in networks]
        seed, device = self.options.seed, self.options.device
        random = {name: stream(seed, name, device) for name in ("noise", "random")}
        random["data"] = stream(seed, "data")  # on the CPU, whatever the device
        held = self.parts.data.examples
        return (*networks, Examples(held.image, held.label, held.target), random)


def work_of(parts: Parts, options: Namespace) -> Work:
    """What the parts do in a turn, as the hand-written loops are told it; refuses what these do not do."""
    game, name = parts.game, options.loss
    loss = {"wgan-gp": "wgan", "pix2pix": "gan"}.get(name, name)
    emas = [hook for hook in game.generator.hooks if isinstance(hook, EMA)]
    penalties = {
        r.key: (getattr(r, "weight", getattr(r, "factor", None)), r.every) for r in game.regularizers
    }
    if name == "wgan-gp":
        penalties["gradient-penalty"] = (game.loss.factor, 1)
    refuse(lacking(parts, options, loss, emas, penalties))
    adams = {name: player.optimizer.param_groups[0] for name, player in game.players.items()}
    return Work(
        loss=loss,
        batch_size=options.batch_size,
        state_size=options.state_size,
        adam={
            n: {key: adam[key] for key in ("lr", "betas", "eps", "weight_decay")} for n, adam in adams.items()
        },
        device=str(options.device),
        bf16=options.precision == "bf16",
        reuse_fakes=game.reuse_fakes,
        one_pass=game.critic.one_pass,
        discriminator_moves=game.discriminator_iterations,
        generator_moves=game.generator_iterations,
        r1=penalties.get("r1"),
        r2=penalties.get("r2"),
        slope=penalties.get("gradient-penalty"),
        ema=(emas[0].decay, emas[0].ramp) if emas else None,
        l1=game.loss.l1_weight if name == "pix2pix" else None,
    )


def lacking(
    parts: Parts, options: Namespace, loss: str, emas: list[EMA], penalties: Iterable[str]
) -> list[str]:
    """What a run does that the hand-written loops do not."""
    game, inner = parts.game, getattr(parts.game.loss, "gan", parts.game.loss)
    hooks = [hook for player in game.players.values() for hook in player.hooks]
    expected = TranslateGame if options.loss == "pix2pix" else StandardGame
    odd = {
        "game": type(game) is not expected,
        "noise": type(parts.noise) is not GaussianNoise,
        "precision": options.precision not in ("fp32", "bf16") or options.compile,
        "accumulate": game.accumulate != 1,
        "loss": loss not in LOSSES or bool(getattr(inner, "soft_labels", 0) or getattr(inner, "noise", 0)),
        "augment": bool(game.critic.augment),
        "vary": getattr(parts.data, "vary", None) is not None,
        "regularizer": not set(penalties) <= {"r1", "r2", "gradient-penalty"},
        "hooks": hooks != emas or len(emas) > 1,
        "optimizer": not all(isinstance(p.optimizer, torch.optim.Adam) for p in game.players.values()),
    }
    return [name for name, found in odd.items() if found]


def refuse(found: list[str]) -> None:
    """End where the loops lack something."""
    if found:
        raise SystemExit(f"The hand-written loop lacks what this run does: {found}.")


def play(parts: Parts, turns: int) -> dict[str, float]:
    """Let Ganzo play some turns, in as many epochs as the data make of them; returns the losses of the last one."""
    until, losses = parts.game.turns + turns, dict[str, float]()
    while parts.game.turns < until:
        parts.game.max_batches_per_epoch = until - parts.game.turns
        losses = parts.game.run_epoch(parts.data, parts.noise)
    return losses


def difference(parts: Parts, loop: TunedLoop) -> float:
    """The largest difference between the weights, and averages, of Ganzo and a loop."""
    game = parts.game
    pairs: list[tuple[nn.Module, nn.Module]] = [
        (game.generator.network, loop.generator), (game.discriminator.network, loop.discriminator)
    ]  # fmt: skip
    pairs += [(game.generator.average, loop.average)] if loop.average is not None else []
    values = (zip(a.state_dict().values(), b.state_dict().values(), strict=True) for a, b in pairs)
    return max(float((a.double() - b.double()).abs().max()) for a, b in itertools.chain(*values))


def settled(options: Namespace, layout: bool, threads: int, **changed: Any) -> Namespace:
    """A copy of the options with device, precision, layout and threads decided; the threads are set."""
    options = Namespace(**vars(options))
    options.channels_last, options.threads, options.tune = layout, threads, False
    for name, value in changed.items():
        setattr(options, name, value)
    build("common", "machine", options).settle(options)
    return options


def interval_of(work: Work) -> int:
    """The turns after which lazy penalties come round again."""
    return math.lcm(*(penalty[1] for penalty in (work.r1, work.r2, work.slope) if penalty is not None))
