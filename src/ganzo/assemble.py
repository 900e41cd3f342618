"""The parts that play, built from options in the order in which data flow through them."""

import dataclasses
from argparse import Namespace
from typing import Any

import torch
from torch import nn

from ganzo.augment import Augment
from ganzo.data import Data
from ganzo.discriminator import Discriminator
from ganzo.encoder import Encoder
from ganzo.fit import able, check_networks, check_translation
from ganzo.game import Game
from ganzo.game.checks import pass_too_short
from ganzo.generator import Generator
from ganzo.hook import Hook
from ganzo.loss import Loss
from ganzo.nn import in_step, ranks
from ganzo.nn.batch_norm import synchronise
from ganzo.nn.critic import Critic
from ganzo.nn.labels import way_of
from ganzo.nn.random import Stream, part_ways, seed_everything, stream
from ganzo.nn.shares import check_share, shared
from ganzo.noise import Noise
from ganzo.optimizer import Optimizer
from ganzo.registry import OptionError, build
from ganzo.regularizer import Regularizer


@dataclasses.dataclass
class Parts:
    """What plays: data and noise, and the game between the two networks."""

    data: Any
    noise: Any
    game: Any
    random: Stream


def assemble(options: Namespace) -> Parts:
    """Build every part that plays.

    What one part decides (image size, classes, …) becomes a fact for the parts after it.
    """
    machine = build("common", "machine", options)
    machine.settle(options)
    check_share(getattr(options, "batch_size", None))  # packing takes long
    seed_everything(options.seed)
    options.random = stream(options.seed, "random", options.device)
    with ranks.in_turn():  # pictures are packed and fetched once
        data = able("data", Data.from_options(options))
    tell_facts(options, data)
    game_class = Game.class_from_options(options)
    options.translates = game_class.translates
    noise = able("noise", Noise.from_options(options))
    options.state_size = noise.size
    data, noise = shared(data, noise)
    generator = able("generator", Generator.from_options(options))
    discriminator = able("discriminator", Discriminator.from_options(options))
    check_translation(options, data, generator)
    options.uses_labels = getattr(generator, "uses_labels", True)
    others = game_class.other_players(options)
    networks: dict[str, nn.Module] = {"generator": generator, "discriminator": discriminator, **others}
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    if machine.sync_batch_norm:
        synchronise(networks.values())
    for network in networks.values():
        network.to(options.device, memory_format=layout)  # type: ignore[call-overload]
    in_step.begin(networks.values())
    critic = Critic(discriminator, Augment.from_options(options))
    loss = able("loss", Loss.from_options(options, critic))
    if way_of("discriminator", options) == "auxiliary" and not isinstance(loss, Loss):
        raise OptionError(
            f"`auxiliary` needs a loss that also asks for the classes, as those derived from `ganzo.loss.Loss` do; got"
            f" `{type(loss).__name__}`. Derive it, or choose `concat` or `projection`."
        )
    game = Game.from_options(
        options,
        generator,
        discriminator,
        loss,
        Hook.for_players(options, *networks),
        optimizers=Optimizer.for_players(options, **networks),
        regularizers=Regularizer.from_options(options),
        critic=critic,
        others=others,
        encoder=Encoder.from_options(options),
    )
    batches = getattr(data, "batches", None)
    if batches is not None and batches < game.batches_per_turn:
        raise pass_too_short(game, batches)
    # a third party's that offers `run_epoch` alone may ask its networks for anything
    if game_class is not Game:
        check_networks(options, game, noise)
    part_ways(options.seed, ranks.ranks().rank)
    return Parts(data, noise, game, Stream(options.random))


def tell_facts(options: Namespace, data: Any) -> None:
    """Let every part after the data know what these decide."""
    for fact in ("image_size", "image_colors", "classes", "batch_size"):
        setattr(options, fact, getattr(data, fact, getattr(options, fact, 0)))
        if not hasattr(data, fact):  # an older class decides nothing
            setattr(data, fact, getattr(options, fact))
    options.class_names = tuple(getattr(data, "class_names", ()))
    options.input_colors = getattr(data, "input_colors", options.image_colors)
