"""Every option that there is: those of each component, read from its signature, and those of every run."""

import dataclasses
import functools
import importlib
from typing import Any

from ganzo.registry import Registry, is_fact, takes_options
from ganzo.roles import ROLES, Role
from ganzo.schema import Parameter, parameters

# what every run has, whichever parts it is made of
COMMON = (
    "ganzo.run",
    "ganzo.machine",
    "ganzo.metric.metrics",
    "ganzo.labels",
    "ganzo.optimizer.schedule",
)
SHORTHANDS = {"optimizer": ("generator_optimizer", "discriminator_optimizer")}
OLD_SPELLINGS = {
    "name": "experiment",
    "clip_to": "weight_clipper_clip_to",
    "gradient_penalty": "gradient_penalty_factor",
    "compute_is_every": "metrics_every",
    "n_samples_is": "metrics_samples",
    "val_batch_size": "metrics_batch_size",
}
# What does not change the weights that a run ends with: left out of its hashed name, and free to change on `--restore`.
FREE_ROLES = ("metrics", "log", "save_images_as")
FREE = frozenset(
    (
        *(
            "experiment",
            "restore",
            "delete",
            "epochs",
            "start_epoch",
            "max_seconds",
            "trial_id",
            "model_dir",
            "output_dir",
            "results_dir",
        ),
        *(
            "device",
            "parallel",
            "threads",
            "channels_last",
            "compile",
            "cuda_graphs",
            "tune",
            "cache_dir",
            "loader_workers",
        ),
        *("pin_memory", "download"),
        *("checkpoint_every", "keep_checkpoints", "metrics_every", "metrics_samples", *FREE_ROLES),
        *("metrics_batch_size", "metrics_features", "use_tf_metrics", "metrics_weights"),
    )
)


@dataclasses.dataclass(frozen=True)
class Option:
    """One option: its key in files and in the Namespace, what it accepts, its default and its help."""

    key: str
    kind: Any
    default: Any
    help: str
    owner: str  # "generator conv", or "run"
    parameter: str

    @property
    def flag(self) -> str:
        """As the command line spells it."""
        return "--" + self.key.replace("_", "-")


def component_options(role: Role, name: str) -> list[Option]:
    """The options of one component, read from its signature."""
    cls = Registry.lookup(role.namespace, name)
    if takes_options(cls):
        return []
    return [
        Option(
            role.option(name, p.name),
            kind_of(p),
            p.default,
            p.help,
            f"{role.key.replace('_', '-')} {name}",
            p.name,
        )
        for p in parameters(cls)
        if not is_fact(p, role.namespace)
    ]


def kind_of(parameter: Parameter) -> Any:
    """What an option accepts; where a third party gives no type, values of its default's type."""
    kinds = {bool: bool, int: int | float, float: float, str: str}
    return kinds.get(type(parameter.default), Any) if parameter.kind is Any else parameter.kind


def read_by(role: Role, name: str) -> list[Option]:
    """The options that a component may read: its own; for an older class, those of every component of its role."""
    if not takes_options(Registry.lookup(role.namespace, name)):
        return component_options(role, name)
    owner = role.key.replace("_", "-")
    found = [[o for o in options if o.owner.partition(" ")[0] == owner] for options in catalogue().values()]
    return [options[0] for options in found if options]


@functools.cache
def common_options() -> list[Option]:
    """The options that every run has."""
    for module in COMMON:
        importlib.import_module(module)
    found = []
    for name in Registry.keys("common"):
        for p in parameters(Registry.lookup("common", name)):
            if not is_fact(p, "common"):
                found.append(Option(p.name, p.kind, p.default, p.help, name, p.name))
    return found


@functools.cache
def catalogue() -> dict[str, list[Option]]:
    """Every option that there is, by key; components may share a key."""
    known: dict[str, list[Option]] = {}
    for option in common_options():
        known.setdefault(option.key, []).append(option)
    for role in ROLES.values():
        for name in sorted(
            Registry.keys(role.namespace), key=lambda name: name != Registry.default(role.namespace)
        ):
            for option in component_options(role, name):
                known.setdefault(option.key, []).append(option)
    return known


def shorthands() -> dict[str, tuple[str, ...]]:
    """Keys that stand for several, such as `optimizer`, `lr` and `beta1`."""
    found: dict[str, list[str]] = {}
    for role in ROLES.values():
        if role.shorthand:
            for name in Registry.keys(role.namespace):
                for option in component_options(role, name):
                    keys = found.setdefault(option.parameter, [])
                    if option.key not in keys:
                        keys.append(option.key)
    return {key: tuple(keys) for key, keys in found.items()} | SHORTHANDS
