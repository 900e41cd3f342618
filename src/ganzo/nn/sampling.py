"""Drawing images out of a generator, without leaving a trace in it or in the run's random numbers."""

import contextlib
import itertools
import secrets
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganzo.nn import ranks
from ganzo.nn.batch import Batch, ask
from ganzo.nn.examples import Examples

BATCHES = 20  # with which batch-norm statistics of an average are estimated


@contextlib.contextmanager
def evaluating(network: nn.Module, seed: int | None = None) -> Iterator[None]:
    """Put a network in evaluation mode, and back; what it draws of torch's own random numbers leaves no trace.

    Inside, every rank is by itself.
    """
    training = network.training
    devices = {weight.device for weight in network.parameters() if weight.is_cuda}
    network.eval()
    try:
        random = torch.random.fork_rng(devices=sorted(d.index for d in devices))
        with ranks.alone(), random, torch.no_grad():
            if seed is not None:
                torch.manual_seed(seed)
            yield
    finally:
        network.train(training)


def settle(generator: nn.Module, noise: Any, classes: int = 0) -> None:
    """Estimate the batch-norm statistics of an averaged generator anew, when it has moved since the last time.

    The statistics that were gathered while training belong to the raw weights. Only networks that say `stale` are
    touched.

    Args:
        generator: noise to images, or images to images
        noise: what it starts from: noise, or `Examples`; without any of them the statistics stay as they are
        classes: how many classes the generator knows, where it starts from noise
    """
    if not getattr(generator, "stale", False) or (isinstance(noise, Examples) and noise.reference is None):
        return
    layers = [
        m
        for m in generator.modules()
        if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats
    ]
    momentum, size = {layer: layer.momentum for layer in layers}, getattr(noise, "batch_size", 64)
    with evaluating(generator, seed=0):
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over the batches
            layer.train()
        for start, labels in itertools.islice(
            _starts(generator, noise, size, classes), BATCHES if layers else 0
        ):
            ask(generator, start, labels)
    for layer in layers:
        layer.momentum = momentum[layer]
    generator.stale = False  # type: ignore[assignment]


def sample_images(
    generator: nn.Module,
    noise: Any,
    n: int,
    seed: int | None = None,
    labels: Tensor | None = None,
    classes: int = 0,
) -> Tensor:
    """Draw n images, B×C×H×W float32 in [-1, 1]; the same seed and labels give the same images.

    Args:
        generator: noise to images; the largest image is taken where it makes several
        noise: where the noise comes from; its own stream is left untouched
        n: how many images
        seed: seed of the draw; none for a fresh one
        labels: the class of each image (n, int64), where the generator knows classes
        classes: how many classes the generator knows
    """
    settle(generator, noise, classes)
    return _draw(generator, noise.sample(n, seed, labels), labels, seed, getattr(noise, "batch_size", 64))


def translate_images(
    generator: nn.Module, examples: Examples, n: int, seed: int | None = None, around: bool = True
) -> Iterator[tuple[Batch, Tensor]]:
    """Translate real inputs in groups of n: each group with what the generator makes of it, in [-1, 1].

    Args:
        generator: images to images
        examples: where the inputs come from
        n: inputs in a group
        seed: seed of what a generator draws for the first group, counted on for the next; none for fresh draws
        around: whether the first input follows the last one; else the last group may be smaller
    """
    settle(generator, examples)
    first = secrets.randbelow(2**31) if seed is None else seed
    for number, batch in enumerate(examples.groups(n, around), first):
        yield batch, _draw(generator, batch.image, batch.label, number, examples.batch_size)


def device_of(network: nn.Module) -> torch.device:
    """Where a network lies."""
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))


def labels_for(n: int, classes: int, device: torch.device | str) -> Tensor | None:
    """Labels 0, 1, …, 0, 1, … for n images: column by column the same class in a grid of `classes` columns."""
    return torch.arange(n, device=device) % classes if classes else None


def _starts(generator: nn.Module, noise: Any, n: int, classes: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """What a generator is asked with, without end: noise with labels in turn, or inputs with their own labels."""
    if isinstance(noise, Examples):
        yield from ((batch.image, batch.label) for batch in noise.groups(n))
    for index in itertools.count():
        labels = labels_for(n, classes, device_of(generator))
        yield noise.sample(n, index, labels), labels


def _draw(generator: nn.Module, start: Tensor, labels: Tensor | None, seed: int | None, size: int) -> Tensor:
    """Ask for all images, so many at once; of several scales the largest."""
    with evaluating(generator, seed):
        parts = [
            ask(generator, start[i : i + size], None if labels is None else labels[i : i + size])
            for i in range(0, len(start), size)
        ]
    return torch.cat([part[-1] if isinstance(part, list | tuple) else part for part in parts]).float()
