"""Generated images batch by batch, so that many of them need no more memory than a few; each rank has its portion."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch import Tensor, nn

from ganzo.nn.examples import Examples
from ganzo.nn.ranks import alone, portion, ranks
from ganzo.nn.sampling import device_of, evaluating, labels_for, settle, translate_images

STRIDE = 1000003  # between the seeds of what a network itself draws for one batch and the next
# images of this rank, classes of all, and how many all are
Portions = Iterator[tuple[Tensor, Tensor | None, int]]


def from_noise(generator: nn.Module, noise: Any, count: int, size: int, classes: int, seed: int) -> Portions:
    """What a generator makes of noise, the largest scale of it, with the labels that it was asked for."""
    settle(generator, noise, classes)
    labels = labels_for(count, classes, device_of(generator))
    with alone():
        starts = noise.sample(count, seed, labels)
    for number, at in enumerate(range(0, count, size)):
        of_all = None if labels is None else labels[at : at + size]
        many = min(size, count - at)
        own = (at + portion(many)).to(starts.device)
        asked = [starts[own]] if labels is None else [starts[own], labels[own.to(labels.device)]]
        with evaluating(generator, seed + STRIDE * number + ranks().rank):
            images = generator(*asked)
        images = images[-1] if isinstance(images, list | tuple) else images
        yield images.float(), of_all, many


def from_inputs(generator: nn.Module, data: Any, count: int, size: int, seed: int) -> Portions:
    """What a generator makes of the inputs of real examples, no more than there are, with their labels.

    Each rank makes all of it: what a generator draws for a batch depends on the whole batch.
    """
    size, left = min(size, count), count
    examples = Examples(data, device_of(generator), size)
    groups = translate_images(generator, examples, size, seed, around=False)
    for batch, made in islice(groups, -(-count // size)):
        made = made[:left]
        own = portion(len(made)).to(made.device)
        yield made[own], None if batch.label is None else batch.label[:left], len(made)
        left -= len(made)
