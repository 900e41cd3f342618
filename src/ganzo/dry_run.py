"""`--dry-run`: every value with who set it, the parameter counts and the shapes; nothing is trained or written."""

from typing import Any

import torch

from ganzo.assemble import assemble
from ganzo.evaluation import Evaluation
from ganzo.metric import Metric
from ganzo.nn.sampling import evaluating, labels_for
from ganzo.options import Completed, saveable
from ganzo.roles import ROLES


def dry_run(completed: Completed) -> int:
    """Print what `ganzo train` would do."""
    options = completed.options
    rows = values(completed)
    options.folder = "."
    parts = assemble(options)
    metrics = Metric.from_options(options)
    Evaluation.from_options(options, measured=tuple(metrics.metrics))
    width = max(len(key) for key, _, _ in rows)
    for key, value, source in rows:
        print(f"{key:{width}}  {value:32}  {source}")
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
        print(f"{name:13} {type(network).__name__}: {count:,} parameters, gives {shape(out)}")
    return 0


def values(completed: Completed) -> list[tuple[str, str, str]]:
    """Every option with its value and who set it; below a role of several, the settings of each component."""
    rows = []
    for key, value in saveable(completed.options).items():
        source = completed.set_by.get(key, "default")
        if not isinstance(value, list) or key not in ROLES:
            rows.append((key, str(value), source))
            continue
        items = completed.chosen[key]
        rows.append((key, ", ".join(item.name for item in items) or "none", source))
        for item in items:
            for name, setting in sorted(item.settings.items()):
                rows.append((f"  {item.name}: {name}", str(setting), item.set_by.get(name, source)))
    return rows


def shape(value: Any) -> str:
    """A shape as people write it."""
    parts = value if isinstance(value, list | tuple) else [value]
    return ", ".join("×".join(map(str, part.shape)) for part in parts if isinstance(part, torch.Tensor))
