"""Optimizers: what moves a player."""

import inspect
from argparse import Namespace
from typing import Any, ClassVar

from torch import nn
from torch.optim import Optimizer as TorchOptimizer

from ganzo.registry import (
    ROLES,
    Facade,
    GanzoError,
    OptionError,
    Registry,
    RegistryError,
    build,
    child,
    chosen,
    lazily,
    parameters,
    side_of,
)


class Optimizer(Facade):
    """The room's facade: a component here *is* a `torch.optim.Optimizer`, built as `cls(options, weights)`."""

    namespace: ClassVar[str] = "optimizer"

    @staticmethod
    def for_player(options: Namespace, player: str, network: nn.Module) -> TorchOptimizer:
        """Build one player's optimizer; `generator_lr` beats `lr`."""
        role = ROLES[f"{side_of(player)}_optimizer"]
        found = chosen(options, role)
        if len(found) != 1:
            raise OptionError(f"`{role.key}` takes one component; got {len(found)}.")
        own = child(options, role, found[0])
        for parameter in parameters(Registry.lookup("optimizer", found[0].name)):
            value = getattr(own, role.option(found[0].name, parameter.name), None)
            if value is not None:
                setattr(own, parameter.name, value)
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        try:
            made = build("optimizer", found[0].name, own, weights)
        except (ValueError, TypeError) as error:
            if isinstance(error, GanzoError):
                raise
            raise OptionError(
                f"The optimizer `{found[0].name}` refuses what it was given: {' '.join(str(error).split())}."
                " Mend its settings."
            ) from error
        return moving(made, found[0].name)

    @classmethod
    def for_players(cls, options: Namespace, **networks: nn.Module) -> dict[str, TorchOptimizer]:
        """Build the optimizer of each player that is named."""
        return {player: cls.for_player(options, player, network) for player, network in networks.items()}

    @classmethod
    def from_options(cls, options: Namespace, *parts: Any, **offered: Any) -> TorchOptimizer:
        """Build an optimizer for one network, with the generator's options."""
        return cls.for_player(options, "generator", parts[0])


def moving(made: Any, name: str) -> Any:
    """An optimizer, if it offers what a player and its checkpoints ask of one."""
    lacking = [
        word for word in ("param_groups", "step", "zero_grad", "state_dict") if not hasattr(made, word)
    ]
    if lacking:
        raise RegistryError(
            f"An optimizer must be a `torch.optim.Optimizer`; `{name}` lacks {', '.join(lacking)}. Choose another"
            " class."
        )
    closure = inspect.signature(made.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise RegistryError(
            f"The optimizer `{name}` asks for the loss again within a step, and a player gives it once; choose another."
        )
    return made


__getattr__ = lazily(__name__)  # `from ganzo.optimizer import …` finds the classes in this room's files
