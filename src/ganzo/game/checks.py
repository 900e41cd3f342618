"""What must hold of a game before it begins."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganzo.nn.critic import mixes_samples
from ganzo.registry import DataError, OptionError, Registry, takes_options

if TYPE_CHECKING:
    from ganzo.game import Game


def check(game: "Game") -> None:
    """Refuse what a game cannot do, or what its parts cannot do together."""
    check_turns(game)
    check_penalties(game)
    if getattr(game.loss, "translates", False) and not game.translates:
        raise OptionError(
            f"`{type(game.loss).__name__}` compares images with the wanted ones, so it needs pairs; choose"
            " `--game translate` and `--data-format pair-of-images`, or another `--loss`."
        )
    mixer = mixes_samples(game.discriminator.network) if game.one_pass else None
    if mixer is not None:
        batch_norm = (
            ": in `conv` and `patch-gan` `--discriminator-spectral-norm` takes the place of the batch norm"
        )
        raise OptionError(
            f"`--one-pass` needs a discriminator that judges each image by itself; `{mixer}` in this one looks at the"
            f" whole batch. Leave it out, or choose a discriminator without it{batch_norm * ('BatchNorm' in mixer)}."
        )


def check_turns(game: "Game") -> None:
    """Refuse turns of several moves where both are made from one minibatch."""
    from ganzo.game import Game

    if type(game).train_on_instance is Game.train_on_instance:
        return
    moves = {
        "generator-iterations": game.generator_iterations,
        "discriminator-iterations": game.discriminator_iterations,
        "accumulate": game.accumulate,
    }
    if set(moves.values()) != {1}:
        raise OptionError(
            f"{type(game).__name__} makes both moves of a turn from one minibatch, so `--generator-iterations`,"
            " `--discriminator-iterations` and `--accumulate` must be 1; got "
            + " and ".join(f"`--{name} {number}`" for name, number in moves.items() if number != 1)
            + ". Leave them out."
        )


def check_penalties(game: "Game") -> None:
    """Refuse the same penalty twice."""
    penalties = [
        *getattr(game.loss, "penalties", ()),
        *(getattr(r, "key", "") for r in game.regularizers),
    ]
    twice = {p for p in penalties if p and penalties.count(p) > 1}
    if twice:
        raise OptionError(
            f"The penalty `{twice.pop()}` is chosen twice, by the loss or by `--regularizer`;"
            " leave one of them out."
        )


def check_asked(game: "Game") -> None:
    """After a turn: refuse penalties that the game, and one pass that the loss, did not ask for."""
    if game.regularizers and not game.penalised:
        raise OptionError(
            f"{type(game).__name__} asks for no penalty, so `--regularizer` must be left out (a game asks by"
            " `self.penalty(real, fake, labels)`)."
        )
    if game.one_pass and not game.critic.joined:
        raise OptionError(
            f"`{type(game.loss).__name__}` has real and fake images judged one after the other, so `--one-pass` must be"
            " left out (a loss asks for both by `self.critic.verdicts(real, fake, labels)`)."
        )


def check_penalties_known(name: str, named: set[str], offered: Mapping[str, Any]) -> None:
    """Refuse penalties beside a game whose constructor does not name them."""
    if offered.get("regularizers") and "regularizers" not in named:
        raise OptionError(f"The game `{name}` knows no penalties, so `--regularizer` must be left out.")


def check_read(name: str, options: Any, named: set[str]) -> None:
    """Refuse what the machine offers to games beside a third party's that plays whole epochs and does not read it."""
    asked = {"compile": options.compile, "precision": options.precision == "fp16"}
    for key in [key for key, wanted in asked.items() if wanted and key not in named]:
        if not takes_options(Registry.lookup("game", name)):
            flag = "--precision fp16" if key == "precision" else f"--{key}"
            raise OptionError(
                f"The game `{name}` plays its epochs by itself and does not name `{key}`, so `{flag}` must be left out."
            )


def pass_too_short(game: "Game", batches: int | None = None) -> DataError:
    """What is said where a pass of the data does not make one turn."""
    has = "fewer" if batches is None else batches
    lower = "`--discriminator-iterations`, `--accumulate` or `--batch-size`"
    return DataError(
        f"One turn takes {game.batches_per_turn} batches, and one pass of the data has {has}; lower {lower}."
    )
