"""Whether the parts fit each other: said in one sentence before the first batch, and before anything is written."""

from argparse import Namespace
from typing import Any

import torch
from torch import Tensor

from ganzo.nn.batch import ask
from ganzo.nn.sampling import evaluating
from ganzo.nn.side import sides
from ganzo.registry import OptionError, RegistryError
from ganzo.roles import NEEDED

N = 2  # images that networks are tried with


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


def check_networks(options: Namespace, game: Any, noise: Any) -> None:
    """Let the generator make two images and the discriminator judge them; refuse networks that cannot, or other shapes.

    It leaves no trace in the networks, in the noise, or in random numbers.
    """
    generator, discriminator = game.generator.network, game.discriminator.network
    size, labels = sides(options.image_size), None
    if options.classes:
        labels = torch.zeros(N, dtype=torch.int64, device=game.device)
    start = torch.zeros(N, options.input_colors, *size, device=game.device)
    with evaluating(generator, seed=0), evaluating(discriminator):
        images = start if options.translates else tried("noise", options.noise, noise.sample, N, 0, labels)
        made = tried("generator", options.generator, ask, generator, images, labels)
        largest = made[-1] if isinstance(made, list | tuple) and made else made
        wanted = (N, options.image_colors, *size)
        if not isinstance(largest, Tensor) or tuple(largest.shape) != wanted:
            got = "×".join(map(str, largest.shape)) if isinstance(largest, Tensor) else type(largest).__name__
            raise RegistryError(
                f"The generator `{options.generator}` must make images like the data, {'×'.join(map(str, wanted))}; it"
                f" makes {got}. Mend it, or choose another."
            )
        seen = torch.cat([start, largest], 1) if options.translates else made
        tried("discriminator", options.discriminator, game.critic.given(labels), seen)


def tried(role: str, name: Any, function: Any, *inputs: Any) -> Any:
    """What a part makes of its inputs; what goes wrong inside is said in one sentence."""
    try:
        return function(*inputs)
    except (TypeError, RuntimeError, ValueError, AttributeError, IndexError, AssertionError) as error:
        if isinstance(error, RegistryError | OptionError) or "memory" in str(error):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise RegistryError(
            f"The {role} `{name}` fails when it is tried with two examples ({reason}); mend it, or choose another."
        ) from error
