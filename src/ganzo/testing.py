"""What every component must hold to, as checks that third parties run over their own in one parametrized test.

@pytest.mark.parametrize("namespace, name", [("generator", "mine"), ("loss", "mine")])
def test_contract(namespace, name):
    check_component(namespace, name)
"""

import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

from torch import nn

from ganzo.contracts import CHECKS
from ganzo.registry import ROLES, Registry, is_fact, parameters, takes_options
from ganzo.schema import convert
from ganzo.small_world import facts_of, make, same, small_run, stored

__all__ = ["check_component", "everything_registered"]


def everything_registered() -> list[tuple[str, str]]:
    """Namespace and name of every component of every room."""
    rooms = [*dict.fromkeys(role.namespace for role in ROLES.values()), "features"]
    return [(room, name) for room in rooms for name in Registry.keys(room)]


def check_component(namespace: str, name: str, **options: Any) -> None:
    """Raise AssertionError, with a sentence, where a component breaks the contract of its room.

    Args:
        namespace: the room, such as `generator`
        name: the name that it is registered under
        options: options of the small run that it is tried in, such as `image_size=32` where 16 does not suit it
    """
    check_options(namespace, name)
    with tempfile.TemporaryDirectory() as folder:
        world = small_run(Path(folder), namespace, name, options)
        one, other = make(world, namespace, name), make(world, namespace, name, by_keywords=True)
        assert same(facts_of(one), facts_of(other)), "Options and keywords must build the same."
        if isinstance(one, nn.Module):
            check_copies(one)
        if namespace in CHECKS:
            CHECKS[namespace](world, one)
        if hasattr(one, "state_dict"):  # after it was used, so that there is something to keep
            state = one.state_dict()
            other.load_state_dict(stored(state))
            assert same(state, other.state_dict()), "What `load_state_dict` is given, `state_dict` must give."
        for part in (one, other):
            if hasattr(part, "close"):
                part.close()


def check_options(namespace: str, name: str) -> None:
    """Every option has a type that its default fits, and a line of help."""
    cls = Registry.lookup(namespace, name)
    for p in [] if takes_options(cls) else parameters(cls):
        if not is_fact(p, namespace):
            assert p.kind is not Any, f"The option `{p.name}` must have a type."
            assert p.help, f"The option `{p.name}` must have a line under `Args:`."
            try:
                fits = convert(p.kind, p.default) == p.default
            except ValueError:
                fits = False
            assert fits, f"The default of `{p.name}` must fit its type; got {p.default!r}."


def check_copies(network: nn.Module) -> None:
    """Networks survive `deepcopy`; and `pickle`, unless torch itself refuses (spectral norm)."""
    copies = [copy.deepcopy(network)]
    if not any(hasattr(module, "parametrizations") for module in network.modules()):
        copies.append(pickle.loads(pickle.dumps(network)))
    for twin in copies:
        assert same(network.state_dict(), twin.state_dict()), "A copy of the network must have its weights."
