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
from ganzo.game import Game
from ganzo.generator import Generator
from ganzo.hook import Hook
from ganzo.loss import Loss
from ganzo.nn.critic import Critic
from ganzo.nn.random import Stream, seed_everything, stream
from ganzo.noise import Noise
from ganzo.optimizer import Optimizer
from ganzo.registry import DataError, OptionError, RegistryError, build
from ganzo.regularizer import Regularizer
from ganzo.roles import NEEDED


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
    build("common", "machine", options).settle(options)
    seed_everything(options.seed)
    options.random = stream(options.seed, "random", options.device)
    data = able("data", Data.from_options(options))
    for fact in ("image_size", "image_colors", "classes", "batch_size"):
        setattr(options, fact, getattr(data, fact, getattr(options, fact, 0)))
        if not hasattr(data, fact):  # an older class decides nothing
            setattr(data, fact, getattr(options, fact))
    options.input_colors = getattr(data, "input_colors", options.image_colors)
    game_class = Game.class_from_options(options)
    options.translates = game_class.translates
    noise = able("noise", Noise.from_options(options))
    options.state_size = noise.size
    generator = able("generator", Generator.from_options(options))
    discriminator = able("discriminator", Discriminator.from_options(options))
    check_translation(options, data, generator)
    options.uses_labels = getattr(generator, "uses_labels", True)
    others = game_class.other_players(options)
    networks: dict[str, nn.Module] = {"generator": generator, "discriminator": discriminator, **others}
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    for network in networks.values():
        network.to(options.device, memory_format=layout)  # type: ignore[call-overload]
    critic = Critic(discriminator, Augment.from_options(options))
    game = Game.from_options(
        options,
        generator,
        discriminator,
        able("loss", Loss.from_options(options, critic)),
        Hook.for_players(options, *networks),
        optimizers=Optimizer.for_players(options, **networks),
        regularizers=Regularizer.from_options(options),
        critic=critic,
        others=others,
        encoder=Encoder.from_options(options),
    )
    batches = getattr(data, "batches", None)
    if batches is not None and batches < game.batches_per_turn:
        raise DataError(
            f"One turn takes {game.batches_per_turn} batches, and one pass of the data has {batches};"
            " lower `--discriminator-iterations` or `--batch-size`."
        )
    return Parts(data, noise, game, Stream(options.random))


def check_translation(options: Namespace, data: Any, generator: Any) -> None:
    """Refuse a game that turns images into images without pairs or such a generator, and the other way round."""
    takes_images = getattr(generator, "translates", options.translates)  # a third party's class may not say
    if options.translates and not getattr(data, "pairs", True):
        raise OptionError(
            f"The game `{options.game}` needs pairs of input and target; choose `--data-format pair-of-images`,"
            " or the game `standard`."
        )
    if not options.translates and getattr(data, "pairs", False):
        raise OptionError(
            f"The data are pairs of input and target, and the game `{options.game}` has no use for targets; choose"
            " `--game translate`, or `--data-format single-image`."
        )
    if options.translates and not takes_images:
        raise OptionError(
            f"The game `{options.game}` needs a generator that starts from images; `{options.generator}` starts from"
            " noise. Choose `--generator u-gen`, or the game `standard`."
        )
    if takes_images and not options.translates:
        raise OptionError(
            f"The generator `{options.generator}` starts from images, and the game `{options.game}` gives it noise;"
            " choose `--game translate`, or another generator."
        )


def able(role: str, part: Any) -> Any:
    """The part, if it offers what its role needs; a third party's may have any base."""
    lacking = [name for name in NEEDED[role] if not hasattr(part, name)]
    if lacking:
        raise RegistryError(
            f"A {role} must offer {', '.join(NEEDED[role])}; `{type(part).__name__}` lacks {', '.join(lacking)}."
            f" Add it, or derive the class from `ganzo.{role}.{role.capitalize()}`."
        )
    return part
