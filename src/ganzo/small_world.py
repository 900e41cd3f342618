"""A small run in which components are tried, and what two of them can be compared by."""

import io
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ganzo.data import Source
from ganzo.nn.critic import Critic
from ganzo.nn.side import sides
from ganzo.options import make_options
from ganzo.registry import ROLES, Registry, accepts, build, parameters, takes_options

N = 4  # images in a batch


def small_run(folder: Path, namespace: str, name: str, changed: dict[str, Any]) -> Namespace:
    """Options of a run on 16 grey pixels, ten classes, four images in a batch; a pair is a picture cut in two."""
    for number in range(2 * N):  # for sources that read a folder
        path = folder / "pictures" / str(number % 2) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 16), (30 * number, 0, 0)).save(path)
    values = {"dataset": "digits", "image_size": 16, "image_colors": 1, "batch_size": N, "state_size": 8}
    values |= {"cache_dir": str(folder / "cache"), "seed": 1, "max_batches_per_epoch": 2}
    values |= {role.key: name for role in ROLES.values() if role.namespace == namespace}
    world = make_options(**values | changed)
    world.classes, world.device, world.precision, world.folder = 10, "cpu", "fp32", str(folder)
    world.data_dir = changed.get("data_dir", str(folder / "pictures"))  # also for data that are chosen later
    world.random, world.split = torch.Generator(), changed.get("split", "horizontal")
    return world


def make(world: Namespace, namespace: str, name: str, by_keywords: bool = False) -> Any:
    """Build a component by one of its two doors, each time with the same seed."""
    torch.manual_seed(3)
    world.random.manual_seed(3)
    parts, cls = parts_of(world, namespace, name), Registry.lookup(namespace, name)
    if not by_keywords or takes_options(cls):
        return build(namespace, name, world, *parts)
    given = {}
    role = next((role for role in ROLES.values() if role.namespace == namespace), None)
    for p in parameters(cls)[len(parts) :]:
        keys = [role.option(name, p.name), p.name] if role else [p.name]
        key = next((key for key in keys if key not in ROLES and hasattr(world, key)), None)
        if key is not None:
            given[p.name] = getattr(world, key)
    return cls(*parts, **given)


def parts_of(world: Namespace, namespace: str, name: str) -> list[Any]:
    """What a constructor is handed by position."""
    if namespace == "data" and accepts(Registry.lookup("data", name), "source"):
        return [Source.from_options(world)]
    if namespace == "optimizer":
        return [list(make(world, "discriminator", "fc").parameters())]
    if namespace == "loss":
        return [Critic(make(world, "discriminator", "fc"))]
    if namespace == "game":
        pairs = getattr(Registry.lookup("game", name), "translates", False)  # its critic sees two pictures
        world.generator_layers, colors = 2, (1 + pairs) * world.image_colors
        generator = make(world, "generator", "u-gen" if pairs else "fc")
        discriminator = make(Namespace(**vars(world) | {"image_colors": colors}), "discriminator", "fc")
        return [generator, discriminator, build("loss", "gan", world, Critic(discriminator))]
    return []


def images(world: Namespace, n: int = N) -> Tensor:
    """Random images in [-1, 1]."""
    return torch.rand(n, world.image_colors, *sides(world.image_size)) * 2 - 1


def stored(state: Any) -> Any:
    """A state as a checkpoint gives it back; it may hold nothing but plain values and tensors."""
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def facts_of(part: Any) -> dict[str, Any]:
    """What two parts can be compared by: weights, and every plain value that they keep."""
    plain = (bool, int, float, str, list, tuple, Tensor, type(None))
    kept = {k: v for k, v in getattr(part, "__dict__", {}).items() if k[0] != "_" and isinstance(v, plain)}
    return kept | (part.state_dict() if isinstance(part, nn.Module) else {})


def same(one: Any, other: Any) -> bool:
    """Whether two nests of plain values and tensors are equal; other values are not compared."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return one == other if isinstance(one, bool | int | float | str | type(None)) else True
