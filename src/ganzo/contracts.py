"""The contract of each room, as `ganzo.testing` checks it: one function for each, in a small run."""

import copy
import math
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ganzo.data import Data
from ganzo.discriminator import Verdict
from ganzo.nn.critic import Critic
from ganzo.nn.side import sides
from ganzo.registry import ROLES, accepts, build
from ganzo.small_world import N, images, make, same, stored


def assert_learns(network: nn.Module, value: Tensor) -> None:
    """A scalar, from which a gradient reaches every parameter of a network."""
    assert value.dim() == 0 and value.isfinite(), f"A finite scalar must come; got {value}."
    network.zero_grad()
    value.backward()  # type: ignore[no-untyped-call]
    missing = [
        name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None
    ]
    assert not missing, f"A gradient must reach every parameter; none reaches {', '.join(missing)}."


def check_generator(world: Namespace, generator: Any) -> None:
    """Noise, or images, and labels to images in [-1, 1], or to a list of them."""
    noise = torch.randn(N, world.state_size)
    made = generator(images(world) if getattr(generator, "translates", False) else noise, torch.arange(N))
    made = made if isinstance(made, list) else [made]
    for image in made:
        assert image.shape[:2] == (N, world.image_colors), (
            f"Images must be B×C×H×W; got {tuple(image.shape)}."
        )
        assert image.abs().max() <= 1, "Images must lie in [-1, 1]."
    assert made[-1].shape == images(world).shape, (
        f"The largest image must have the asked size; got {made[-1].shape}."
    )
    assert_learns(generator, sum((image.square().mean() for image in made), torch.zeros(())))


def check_discriminator(world: Namespace, discriminator: Any) -> None:
    """Images and labels to logits."""
    verdict = discriminator(images(world), torch.arange(N))
    logits = verdict.logits if isinstance(verdict, Verdict) else verdict
    assert logits.shape[:2] == (N, 1) and logits.dim() in (2, 4), (
        f"Logits must be B×1 or B×1×h×w; got {logits.shape}."
    )
    assert_learns(discriminator, logits.square().mean())


def check_augment(world: Namespace, augment: Any) -> None:
    """Images keep their shape, and gradients flow through."""
    before = images(world).requires_grad_()
    after = augment(before)
    assert after.shape == before.shape, (
        f"The shape must stay; {tuple(before.shape)} became {tuple(after.shape)}."
    )
    after.sum().backward()
    assert before.grad is not None and before.grad.any(), "A gradient must flow through to the images."


def check_loss(world: Namespace, loss: Any) -> None:
    """A scalar for each player, from which each learns."""
    real, fake, labels = images(world), images(world).requires_grad_(), torch.arange(N)
    assert_learns(loss.critic.discriminator, loss.for_discriminator(real, fake.detach(), labels))
    seen = {"real": real} if accepts(loss.for_generator, "real") else {}
    wanted = (images(world), labels) if getattr(loss, "translates", False) else (labels,)
    loss.for_generator(fake, *wanted, **seen).backward()
    assert fake.grad is not None and fake.grad.any(), "The generator's loss must reach its images."


def check_regularizer(world: Namespace, regularizer: Any) -> None:
    """A scalar of which the discriminator learns."""
    assert regularizer.every >= 1, "`every` must be at least 1."
    network = nn.Sequential(
        nn.Flatten(),
        nn.Linear(images(world)[0].numel(), 4, bias=False),
        nn.Tanh(),
        nn.Linear(4, 1, bias=False),
    )
    assert_learns(network, regularizer.penalty(Critic(network).given(None), images(world), images(world)))


def check_optimizer(world: Namespace, optimizer: Any) -> None:
    """A step moves the weights."""
    (weight,) = (w for w in optimizer.param_groups[0]["params"][:1])
    before = weight.detach().clone()
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    assert not torch.equal(before, weight), "A step must move the weights."


def check_noise(world: Namespace, noise: Any) -> None:
    """Draws of B×S; a sample leaves no trace in the stream, and a seed repeats it."""
    state = noise.state_dict()
    assert torch.equal(noise.sample(3, 7), noise.sample(3, 7)), "The same seed must give the same sample."
    assert same(state, noise.state_dict()), "`sample` must leave the noise's own stream untouched."
    drawn = noise.next(N)
    assert drawn.shape == (N, noise.size), f"Noise must be B×S; got {tuple(drawn.shape)}."
    noise.load_state_dict(stored(state))
    assert torch.equal(noise.next(N), drawn), "A restored stream must go on as it did."


def check_data(world: Namespace, data: Any) -> None:
    """A pass of batches that ends with None, and goes on from any place of it."""
    data.next()
    state = stored(data.state_dict())
    batch = data.next()
    input_colors = getattr(data, "input_colors", data.image_colors)
    for found, colors in ((batch.image, input_colors), (batch.target, data.image_colors)):
        shape = (data.batch_size, colors, *sides(data.image_size))
        assert found is None or (found.shape == shape and found.dtype in (torch.uint8, torch.float32)), (
            f"Images must be {shape}, uint8 or float32; got {tuple(found.shape)}, {found.dtype}."
        )
    if data.classes:
        assert int(batch.label.max()) < data.classes, "Labels must be below the number of classes."
    for _ in range(data.batches or 0):
        data.next()
    assert data.batches is None or data.next() is None, "None must stand at the end of a pass."
    data.reset()
    data.load_state_dict(state)
    assert same([*data.next()], [*batch]), "Restored data must go on where they stood."


def check_dataset(world: Namespace, source: Any) -> None:
    """Single pictures that can be counted, and a key of their content."""
    assert len(source), "A source must hold pictures."
    pictures, each = source.pictures(0), source.pictures_each
    assert len(pictures) == each, f"An example must have {each} pictures; got {len(pictures)}."
    for picture in pictures:
        assert isinstance(picture, Image.Image), f"A picture must be one of Pillow's; got {picture!r}."
        picture.close()
    assert source.labels is None or len(source.labels) == len(source), (
        "There must be a label for each picture."
    )
    assert source.fingerprint() == source.fingerprint(), "The key of the content must stay the same."


def check_encoder(world: Namespace, encoder: Any) -> None:
    """Stored values to float32, and back to the same shape."""
    pixels = torch.randint(0, 256, images(world).shape, dtype=torch.uint8)
    seen = encoder.encode(pixels)
    assert seen.dtype == torch.float32, f"What the players see must be float32; got {seen.dtype}."
    assert encoder.decode(seen).shape == pixels.shape, "Decoding must give back the shape."


def check_hook(world: Namespace, hook: Any) -> None:
    """It does its work on a network, which keeps its shape."""
    network = make(world, "discriminator", "fc")
    before = [weight.shape for weight in network.parameters()]
    if hasattr(hook, "attach"):
        hook.attach(network)
    hook.apply(network)
    assert before == [weight.shape for weight in network.parameters()], "A hook must leave the shapes alone."


def check_game(world: Namespace, game: Any) -> None:
    """An epoch moves both players, and gives means."""
    before = copy.deepcopy({name: network.state_dict() for name, network in game.networks().items()})
    if game.translates:
        world = Namespace(**vars(world) | {"data_format": "pair-of-images", "split": "horizontal"})
    means = game.run_epoch(Data.from_options(world), build("noise", "gaussian", world))
    assert means and all(map(math.isfinite, means.values())), f"Finite means must come; got {means}."
    for name in ("generator", "discriminator"):
        assert not same(before[name], game.networks()[name].state_dict()), f"An epoch must move the {name}."


def check_metric(world: Namespace, metric: Any) -> None:
    """Scores from features, and from logits where features are whatever the run chooses."""
    extractor = build("features", metric.features or "classifier", world).eval()
    n = max(metric.minimum_samples, 10)
    labels = torch.arange(n) % 10
    given = {"real_labels": labels} if accepts(metric.update, "real_labels") else {}
    with torch.no_grad():
        real, fake = extractor(images(world, n)), extractor(images(world, n))
    metric.update(real if metric.needs_real else None, fake, labels, **given)
    scores = metric.compute()
    assert scores and all(isinstance(score, float) for score in scores.values()), (
        f"Floats must come; got {scores}."
    )


def check_evaluation(world: Namespace, evaluation: Any) -> None:
    """A yes or no for the numbers of an epoch, also where one is missing."""
    for numbers in ({"generator": 1.0, "discriminator": 1.0}, {}):
        assert isinstance(evaluation.has_improved(numbers), bool), "`has_improved` must say True or False."


def check_statistics(world: Namespace, statistics: Any) -> None:
    """It takes the numbers of an epoch."""
    statistics.log(
        {"epoch": 1, "generator": 1.0, "discriminator": 1.0, "seconds": 1.0, "images_per_second": 1.0}
    )


def check_snapshot(world: Namespace, snapshot: Any) -> None:
    """Drawing leaves no trace in the run."""
    generator, noise = make(world, "generator", "fc"), build("noise", "gaussian", world)
    before = copy.deepcopy((generator.state_dict(), noise.state_dict()))
    snapshot.take(Data.from_options(world), noise, generator, 1)
    after = (generator.state_dict(), noise.state_dict())
    assert same(before, after), "A snapshot must leave no trace."


CHECKS: dict[str, Callable[[Namespace, Any], None]] = {
    name.removeprefix("check_"): check
    for name, check in list(globals().items())
    if name.removeprefix("check_") in {role.namespace for role in ROLES.values()}
}
