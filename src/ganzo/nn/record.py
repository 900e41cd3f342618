"""The numbers of an epoch by name: losses, scores, and what stands beside them; and their names in results.json."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

LOSSES = ("generator", "discriminator")  # those that every game has
BESIDE = ("epoch", "seconds", "images_per_second", "protocol")
RECORDED = {  # names in results.json; others get `train_` before them
    "generator": "train_g_loss",
    "discriminator": "train_d_loss",
    "fid": "train_fid_mean",
    "seconds": "time",
}


def scores_of(numbers: dict[str, Any]) -> dict[str, float]:
    """What metrics said: the numbers that are neither a loss nor a fact about the epoch."""
    return {name: value for name, value in numbers.items() if not (is_loss(name) or is_beside(name))}


def is_loss(name: str) -> bool:
    """Whether a number is a player's loss; there may be a `discriminator_2`."""
    return re.fullmatch(r"(generator|discriminator)(_\w|_\d+)?", name) is not None


def is_beside(name: str) -> bool:
    """Whether a number tells of the epoch itself: its number, time, speed, protocol, rates, scores of real on real."""
    return name in BESIDE or name.startswith("lr_") or name.endswith("_real")


def finite(numbers: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON knows them: nothing in place of one that is infinite, or none at all."""
    return {
        key: None if isinstance(value, float | int) and not math.isfinite(value) else value
        for key, value in numbers.items()
    }


def recorded(numbers: dict[str, Any], players: Iterable[str] = ()) -> str:
    """The numbers of an epoch as a line of results.json.

    Args:
        numbers: by their own names
        players: the names under which losses stand
    """
    names = {player: f"train_{player}_loss" for player in players} | RECORDED
    named = {
        names.get(key, key if is_beside(key) and not key.endswith("_real") else f"train_{key}"): value
        for key, value in finite(numbers).items()
    }
    return json.dumps(named, allow_nan=False) + "\n"


def plain(facts: Any) -> Any:
    """Facts as JSON knows them: what a checkpoint and a record can both hold."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): clean(part) for key, part in value.items()}
        if isinstance(value, list | tuple | set):
            return [clean(part) for part in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value if isinstance(value, str | int | float | bool | None) else str(value)

    return json.loads(json.dumps(clean(facts)))


def pace(seconds: float, images: int) -> dict[str, float]:
    """How long the turns of an epoch took, and how many images a second they judged."""
    seconds = max(seconds, 1e-9)
    return {"seconds": seconds, "images_per_second": images / seconds}


def rates(players: Mapping[str, Any]) -> dict[str, float]:
    """The learning rate of each player, by the name that it has in a record."""
    short = {"generator": "lr_g", "discriminator": "lr_d"}
    return {
        short.get(name, f"lr_{name}"): player.optimizer.param_groups[0]["lr"]
        for name, player in players.items()
    }
