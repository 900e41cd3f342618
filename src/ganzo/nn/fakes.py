"""Generated images batch by batch, so that many of them need no more memory than a few."""

from itertools import islice
from typing import Any

from torch import nn

from ganzo.nn.examples import Examples
from ganzo.nn.references import Pictures
from ganzo.nn.sampling import device_of, evaluating, labels_for, settle, translate_images

STRIDE = 1000003  # between the seeds of what a network itself draws for one batch and the next


def from_noise(generator: nn.Module, noise: Any, count: int, size: int, classes: int, seed: int) -> Pictures:
    """What a generator makes of noise, the largest scale of it, with the labels that it was asked for."""
    settle(generator, noise, classes)
    labels = labels_for(count, classes, device_of(generator))
    starts = noise.sample(count, seed, labels)
    for number, at in enumerate(range(0, count, size)):
        part = slice(at, at + size)
        asked = [starts[part]] if labels is None else [starts[part], labels[part]]
        with evaluating(generator, seed + STRIDE * number):
            images = generator(*asked)
        images = images[-1] if isinstance(images, list | tuple) else images
        yield images.float(), None if labels is None else labels[part]


def from_inputs(generator: nn.Module, data: Any, count: int, size: int, seed: int) -> Pictures:
    """What a generator makes of the inputs of real examples, no more than there are, with their labels."""
    size, left = min(size, count), count
    examples = Examples(data, device_of(generator), size)
    groups = translate_images(generator, examples, size, seed, around=False)
    for batch, made in islice(groups, -(-count // size)):
        yield made[:left], None if batch.label is None else batch.label[:left]
        left -= len(made)
