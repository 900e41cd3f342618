"""The whole of training: the parts, and the loop over epochs and rounds. Everything periodic stands between rounds."""

import dataclasses
from argparse import Namespace
from typing import Any

import torch
from torch import nn

from ganzo.augment import Augment
from ganzo.contract import Critic
from ganzo.data import Data
from ganzo.discriminator import Discriminator
from ganzo.encoder import Encoder
from ganzo.evaluation import Evaluation
from ganzo.game import Game
from ganzo.generator import Generator
from ganzo.hook import Hook
from ganzo.loss import Loss
from ganzo.machine import Machine
from ganzo.metric import Metric
from ganzo.nn.random import seed_everything, stream
from ganzo.noise import Noise
from ganzo.optimizer import Optimizer
from ganzo.progress import Progress
from ganzo.regularizer import Regularizer
from ganzo.report import draw_curves
from ganzo.run import Random, Run, settle_names
from ganzo.snapshot import Snapshot
from ganzo.statistics import Statistics


@dataclasses.dataclass
class Parts:
    """What plays: data and noise, and the game between the two networks."""

    data: Any
    noise: Any
    game: Any
    random: Random


def assemble(options: Namespace) -> Parts:
    """Build every part that plays. What one part decides (image size, classes, …) becomes a fact for the parts after it."""
    seed_everything(options.seed)
    options.random = stream(options.seed, "random", options.device)
    data = Data.from_options(options)
    options.image_size, options.image_colors = data.image_size, data.image_colors
    options.classes, options.batch_size = data.classes, data.batch_size
    noise = Noise.from_options(options)
    options.state_size = noise.size
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    networks: dict[str, nn.Module] = {
        "generator": Generator.from_options(options).to(options.device, memory_format=layout),
        "discriminator": Discriminator.from_options(options).to(options.device, memory_format=layout),
    }
    critic = Critic(networks["discriminator"], Augment.from_options(options))
    game = Game.from_options(
        options,
        *networks.values(),
        Loss.from_options(options, critic),
        Hook.from_options(options),
        optimizers=Optimizer.for_players(options, **networks),
        regularizers=Regularizer.from_options(options),
        encoder=Encoder.from_options(options),
    )
    return Parts(data, noise, game, Random(options.random))


def train(options: Namespace) -> Run:
    """Play rounds of a game until `options.epochs`, keeping what they produce."""
    settle_names(options)
    progress = Progress(options)
    machine, run = Machine(options), Run(options)
    with run, progress:
        progress.say(None if run.restoring else machine.choose(options, assemble))
        machine.settle(options)
        options.folder = run.output
        parts = assemble(options)
        run.begin(options, parts)
        metrics, evaluation = Metric.from_options(options), Evaluation.from_options(options)
        statistics, snapshots = Statistics.from_options(options), Snapshot.from_options(options)
        data, noise, game = parts.data, parts.noise, parts.game
        run.keep(**vars(parts), evaluation=evaluation, statistics=statistics, snapshots=snapshots)
        progress.say(run.restore() if run.restoring else None)

        for epoch in run.remaining():
            for losses in game.rounds(data, noise, run.pause):  # the only line that moves weights
                run.round_over()
                progress.show(run, losses, data.batches)
                if run.over and game.turns_of_epoch:  # inside an epoch: it goes on with `--restore`
                    break
            else:
                losses |= metrics.measure(epoch, data, noise, game.sampler)
                numbers = run.record(losses)
                for each in statistics:
                    each.log(numbers)
                for each in snapshots:
                    each.save(data, noise, game.sampler)
                run.epoch_over(improved=evaluation.has_improved(numbers))
        for each in snapshots if run.stop is None else ():
            each.finish(data, noise, game.sampler)
        draw_curves(run.history, run.output / "curves.png")
        progress.finish(run, options)
    return run
