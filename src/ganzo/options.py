"""Defaults, environment, files and command line to one Namespace that holds every value; saving it.

Options come in layers, each over the one before: defaults, environment, saved run, `--config`, command line,
`--from-json`.
"""

import dataclasses
import hashlib
import json
import os
import secrets
from argparse import Namespace
from collections.abc import Iterable
from typing import Any

from ganzo.catalogue import (
    FREE,
    OLD_SPELLINGS,
    Option,
    catalogue,
    common_options,
    component_options,
    read_by,
    shorthands,
)
from ganzo.errors import OptionError, nearest
from ganzo.files import read_file as read_file  # it is looked for here
from ganzo.grammar import Item, items, with_arguments
from ganzo.launch import ANSWER
from ganzo.loading import MODULES_VARIABLE
from ganzo.nn.ranks import shared
from ganzo.registry import Registry, default_of, takes_options
from ganzo.roles import FACTS, ROLES, Role
from ganzo.schema import convert, describe
from ganzo.whereabouts import restore_requeued, settle_place

# of one command; the last two are in name and folders
PASSING = {
    "restore",
    "delete",
    "trial_id",
    "results_dir",
}
SETTLED = ("experiment", "model_dir", "output_dir", "seed", "restore", "delete")  # before a run begins
# ours, but no options; two are the tests'
OTHER_VARIABLES = (
    MODULES_VARIABLE,
    ANSWER,
    "GANZO_NO_SKIPS",
    "GANZO_NO_BROWSER",
)


@dataclasses.dataclass
class Layer:
    """Values from one place. The keys are flat; a role's value may be a name, an object or a list of these."""

    source: str
    values: dict[str, Any]
    warnings: list[str] = dataclasses.field(default_factory=list)


def spelled(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a layer under their full keys; within a layer the specific beats the general."""
    values = with_arguments({OLD_SPELLINGS.get(key, key): value for key, value in values.items()})
    general: dict[str, Any] = {}
    for key, targets in shorthands().items():
        if key in values:
            value = values.pop(key)
            general |= {target: value for target in targets}
    return general | values


def flattened(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a layer with the settings of single components under keys of their own."""
    flat = spelled(values)
    for key in [k for k in flat if k in ROLES]:
        found = items(flat[key], key)
        if not ROLES[key].several and len(found) == 1:
            settings = {ROLES[key].option(found[0].name, k): v for k, v in found[0].settings.items()}
            flat = settings | flat | {key: found[0].name}
        else:
            flat[key] = [item.plain() for item in found]
    return flat


class Completed:
    """The layers laid over each other: every role filled, every option given a value, and who set it.

    Attributes:
        options: the Namespace that parts are built from
        set_by: for each key, which layer gave its value
        warnings: sentences about options that have no effect
    """

    def __init__(self, layers: Iterable[Layer], extra: dict[str, Any] | None = None):
        self.chosen: dict[str, list[Item]] = {}
        self.flat: dict[str, Any] = {}
        self.set_by: dict[str, str] = {}
        self.warnings: list[str] = []
        self.extra = extra or {}
        for layer in layers:
            self._lay(layer)
        self.options = Namespace(**{key: self.flat.get(key, value) for key, value in self.extra.items()})
        self.options.third_party = sorted(self.extra)
        self._fill()

    def _lay(self, layer: Layer) -> None:
        values = spelled(layer.values)
        for key in [k for k in values if k not in ROLES]:
            self.flat[key] = values[key]
            self.set_by[key] = layer.source
            self._override(key, values[key])
        for key in [k for k in values if k in ROLES and (values[k] is not None or ROLES[k].several)]:
            role, found = ROLES[key], items(values[key], key)
            self.set_by[key] = layer.source
            if not found and not role.several:
                raise OptionError(f"`--{key.replace('_', '-')}` must name a component; got {values[key]!r}.")
            if not role.several and len(found) == 1:
                self._check_settings(role, found[0])
                for setting, value in found[0].settings.items():
                    option = role.option(found[0].name, setting)
                    option = setting if option not in catalogue() and setting in catalogue() else option
                    self.flat[option], self.set_by[option] = value, layer.source
                found = [Item(found[0].name)]
            for item in found:
                item.set_by = dict.fromkeys(item.settings, layer.source)
            self.chosen[key] = found

    def _override(self, key: str, value: Any) -> None:
        """A flat option beats the same setting of an item that a lower layer chose."""
        for role_key, found in self.chosen.items():
            for item in found:
                for parameter in item.settings:
                    if ROLES[role_key].option(item.name, parameter) == key:
                        item.settings[parameter], item.set_by[parameter] = value, self.set_by[key]

    def _check_settings(self, role: Role, item: Item) -> None:
        known = [option.parameter for option in component_options(role, item.name)]
        for setting in item.settings:
            if setting not in known and not takes_options(Registry.lookup(role.namespace, item.name)):
                raise OptionError(
                    f"The {role.namespace} `{item.name}` has no option `{setting}`; it has"
                    f" {', '.join(known) or 'none'}.{nearest(setting, known)}"
                )

    def _check_several(self, role: Role, found: list[Item]) -> None:
        """`none` stands alone, and nothing is chosen twice with the same settings."""
        flag, names = f"--{role.key.replace('_', '-')}", [item.name for item in found]
        if "none" in names and len(found) > 1:
            others = ", ".join(dict.fromkeys(name for name in names if name != "none"))
            raise OptionError(
                f"`{flag} none` must stand alone; got {', '.join(names)}."
                + (f" Leave `none` out, or {others}." if others else " Give it once.")
            )
        twice = [item.name for i, item in enumerate(found) if role.several and item in found[:i]]
        if twice:
            raise OptionError(
                f"The {role.namespace} `{twice[0]}` is chosen twice by `{flag}` with the same settings; leave one of"
                " them out."
            )

    def _fill(self) -> None:
        used = set(self.extra)
        owners = {option.key: option for option in common_options()}
        for option in common_options():
            used.add(option.key)
            setattr(self.options, option.key, self._value(option, self.flat))
        for role in ROLES.values():
            found = self.chosen.get(role.key)
            if found is None or not (found or role.several):
                found = default_of(role)
            self.chosen[role.key] = found
            self._check_several(role, found)
            for item in found:
                self._check_settings(role, item)
                own = {option.key for option in component_options(role, item.name)}
                for option in read_by(role, item.name):
                    value = self._value(option, item.settings)
                    alone = option.key in own and not role.several and len(found) == 1
                    if alone:
                        self._agree(owners.setdefault(option.key, option), option)
                    if alone or option.key not in used:
                        setattr(self.options, option.key, value)
                    used.add(option.key)
                    if option.key in own and not alone:
                        item.settings[option.parameter] = value
                        item.set_by.setdefault(option.parameter, self.set_by.get(option.key, "default"))
            plain = [item.plain() for item in found]
            setattr(self.options, role.key, plain if role.several or len(plain) > 1 else plain[0]["name"])
        self._complain(used)
        for key, options in catalogue().items():  # an older class may read any option it likes
            if not hasattr(self.options, key):
                setattr(self.options, key, options[0].default)

    def _agree(self, one: Option, other: Option) -> None:
        """Components that share an option cannot each have a default of their own: a run's file holds one value."""
        if one.default != other.default and one.key not in self.flat:
            raise OptionError(
                f"`{one.flag}` belongs to `{one.owner}` (default {one.default}) and to `{other.owner}` (default"
                f" {other.default}), which must agree where a run uses both; give the value for both with"
                f" `{one.flag}`."
            )

    def _value(self, option: Option, own: dict[str, Any]) -> Any:
        value = (
            own[option.parameter] if option.parameter in own else self.flat.get(option.key, option.default)
        )
        if value is option.default:
            return value
        try:
            return convert(option.kind, value)
        except (ValueError, OverflowError):
            raise OptionError(f"`{option.flag}` must be {describe(option.kind)}; got {value!r}.") from None

    def _complain(self, used: set[str]) -> None:
        known = set(catalogue()) | set(ROLES) | used | set(shorthands()) | set(OLD_SPELLINGS)
        for key, value in self.flat.items():
            source = self.set_by[key]
            if key not in known and source == "saved run":  # of a third party, not declared for this command
                setattr(self.options, key, value)
                self.options.third_party.append(key)
            elif key not in known and source == "keywords" and key in FACTS:
                setattr(self.options, key, value)
            elif key not in known:
                raise OptionError(f"There is no option `{key}` ({source}).{nearest(key, known)}")
            elif key not in used and source != "saved run":
                owners = ", ".join(f"`{o.owner}`" for o in catalogue().get(key, []))
                self.warnings.append(
                    f"`--{key.replace('_', '-')}` ({source}) has no effect: it belongs to {owners},"
                    " which this run does not use."
                )


def saveable(options: Namespace) -> dict[str, Any]:
    """What is saved of completed options: every role, and every option of the components that fill it."""
    kept = {option.key for option in common_options()}
    for role in ROLES.values():
        kept.add(role.key)
        if not role.several and isinstance(name := getattr(options, role.key), str):
            kept |= {option.key for option in read_by(role, name)}
    kept |= set(getattr(options, "third_party", ()))
    return {key: getattr(options, key) for key in sorted(kept - PASSING)}


def hashed_name(options: Namespace) -> str:
    """A name for a run that has none: a hash of all that changes its result."""
    plain = {key: value for key, value in saveable(options).items() if key not in FREE}
    return hashlib.sha1(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def environment() -> Layer:
    """Options from variables such as GANZO_MODEL_DIR and GANZO_LR, with a warning for each that names no option."""
    known = set(catalogue()) | set(ROLES) | set(shorthands()) | set(OLD_SPELLINGS)
    variables = {f"GANZO_{key.upper()}": key for key in sorted(known)}
    given = {name: value for name, value in os.environ.items() if name.startswith("GANZO_")}
    return Layer(
        "environment",
        {variables[name.upper()]: value for name, value in given.items() if name.upper() in variables},
        [
            f"The variable `{name}` names no option, and has no effect.{nearest(name.upper(), variables)}"
            for name in sorted(given)
            if name.upper() not in variables and name not in OTHER_VARIABLES
        ],
    )


def make_options(**values: Any) -> Namespace:
    """Completed options for use as a library: `make_options(generator="conv", generator_layers=5)`."""
    if not Registry.option_functions():
        return Completed([Layer("keywords", values)]).options
    from ganzo.arguments import CommandLine  # which imports this page

    line, layer = CommandLine("train", {}), Layer("keywords", values)
    line.check(layer)
    return Completed([layer], line.third_party).options


def settle_names(options: Namespace) -> None:
    """Give a run its name, a hash where nobody named it, its folders, and a drawn seed where it has none.

    Of several processes of a run, rank 0 settles it for all.
    """
    settle_place(options, hashed_name)
    restore_requeued(options)
    if options.seed is None:
        options.seed = secrets.randbelow(2**31)
    for key, value in shared({key: getattr(options, key) for key in SETTLED}).items():
        setattr(options, key, value)
