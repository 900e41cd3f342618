"""`--dry-run`: every value with who set it, the parameter counts and the shapes; nothing is trained or written."""

from typing import Any

import torch

from ganzo.assemble import assemble
from ganzo.nn.sampling import evaluating, labels_for
from ganzo.options import Completed, saveable
from ganzo.registry import build


def dry_run(completed: Completed) -> int:
    """Print what `ganzo train` would do."""
    options = completed.options
    values = saveable(options)
    build("common", "machine", options).settle(options)
    width = max(map(len, values))
    for key, value in values.items():
        print(f"{key:{width}}  {value!s:32}  {completed.set_by.get(key, 'default')}")
    options.folder = "."
    parts = assemble(options)
    batch = parts.data.next()
    labels = labels_for(len(batch), options.classes, options.device)
    print(f"\nreal images  {shape(batch.image)} {batch.image.dtype}, labels {shape(batch.label) or 'none'}")
    noise = parts.noise.sample(len(batch), 0, labels)
    generator, discriminator = parts.game.generator.network, parts.game.discriminator.network
    with evaluating(generator), evaluating(discriminator):
        fake = generator(noise) if labels is None else generator(noise, labels)
        logits = parts.game.critic(fake, labels)
    print(f"noise        {shape(noise)}")
    for name, network, out in (("generator", generator, fake), ("discriminator", discriminator, logits)):
        count = sum(weight.numel() for weight in network.parameters())
        print(f"{name:13}{type(network).__name__}: {count:,} parameters, gives {shape(out)}")
    return 0


def shape(value: Any) -> str:
    """A shape as people write it."""
    parts = value if isinstance(value, list | tuple) else [value]
    return ", ".join("×".join(map(str, part.shape)) for part in parts if isinstance(part, torch.Tensor))
