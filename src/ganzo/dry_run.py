"""`--dry-run`: every value with who set it, parameters, shapes, memory and time; nothing is trained or written."""

from argparse import Namespace
from typing import Any

import torch

from ganzo.assemble import Parts, assemble
from ganzo.data.batches import columns
from ganzo.evaluation import Evaluation
from ganzo.forecast import show_forecast
from ganzo.free import held
from ganzo.launch import started
from ganzo.metric import Metric
from ganzo.nn.batch import Batch, ask
from ganzo.nn.examples import as_pair
from ganzo.nn.labels import ConcatLabels, NormalizeByLabels
from ganzo.nn.sampling import evaluating, labels_for
from ganzo.options import Completed, saveable
from ganzo.registry import build
from ganzo.roles import ROLES
from ganzo.snapshot import Snapshot

FEW = 2  # examples that show the shapes


def dry_run(completed: Completed) -> int:
    """Print what `ganzo train` would do."""
    options, before = completed.options, held()
    rows = values(completed)
    options.folder = "."
    each = torch.cuda.device_count() if options.parallel and not started() else 1
    options.parallel = options.parallel and each < 2  # no process is started to show it
    asked = Namespace(**vars(options))  # assembling settles some of them
    parts = assemble(options)
    metrics = Metric.from_options(options)
    Evaluation.from_options(options, measured=metrics.scores)
    Snapshot.from_options(options)
    build("common", "schedule", options)
    width = max(len(key) for key, _, _ in rows)
    for key, value, source in rows:
        print(f"{key:{width}}  {value:32}  {source}")
    show_shapes(parts)
    if each > 1:
        print(f"\nmemory is that of one of {each} processes, time that of a single one with the whole batch")
        asked.batch_size = max(1, options.batch_size // each)
    show_forecast(asked, parts, before)
    return 0


def show_shapes(parts: Parts) -> None:
    """Print what goes into the networks and what comes out of them, and how large they are."""
    game, batch = parts.game, parts.data.next()
    classes = getattr(parts.data, "classes", 0)
    batch = batch if isinstance(batch, Batch) else Batch(*batch)
    whole = len(batch)  # a few examples show the shapes, whatever memory a whole batch takes
    batch = Batch(*(None if c is None else c[:FEW] for c in columns(batch)))  # type: ignore[arg-type]
    generator, discriminator = game.generator.network, game.discriminator.network
    if game.translates:
        batch = as_pair(batch)
        seen, what, labels = batch.target, "targets", batch.label
        start, named = game.encode(batch.image), "inputs"
    else:
        seen, what, labels = batch.image, "real images", labels_for(len(batch), classes, game.device)
        start, named = parts.noise.sample(len(batch), 0, labels), "noise"
    assert seen is not None, "a pair has a target"
    print(f"\n{what:12} {shape(seen, whole)} {seen.dtype}, labels {shape(batch.label, whole) or 'none'}")
    labels = labels if labels is None else labels.to(game.device)
    with evaluating(generator), evaluating(discriminator):
        fake = ask(generator, start, labels)
        verdict = game.critic.verdict(torch.cat([start, fake], 1) if game.translates else fake, labels)
    judged = verdict.logits if verdict.classes is None else [verdict.logits, verdict.classes]
    print(f"{named:12} {shape(start, whole)}")
    for name, network, out in (("generator", generator, fake), ("discriminator", discriminator, judged)):
        count = sum(weight.numel() for weight in network.parameters())
        inner = network.network if isinstance(network, ConcatLabels | NormalizeByLabels) else None
        kind = (
            f"{type(network).__name__} of {type(inner).__name__}"
            if inner is not None
            else type(network).__name__
        )
        print(f"{name:13} {kind}: {count:,} parameters, gives {shape(out, whole)}")


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


def shape(value: Any, count: int) -> str:
    """A shape as people write it, with so many examples."""
    parts = value if isinstance(value, list | tuple) else [value]
    shapes = (part.shape for part in parts if isinstance(part, torch.Tensor))
    return ", ".join("×".join(map(str, (count, *each[1:]))) for each in shapes)
