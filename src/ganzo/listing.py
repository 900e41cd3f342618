"""`ganzo list`: rooms, components with their options, and recipes."""

from ganzo.catalogue import component_options
from ganzo.errors import OptionError, nearest
from ganzo.recipes import find_recipe, recipes, shows
from ganzo.registry import Registry
from ganzo.roles import ROLES
from ganzo.schema import describe


def command(words: list[str]) -> int:
    """`ganzo list [ROOM [COMPONENT …]]`, `ganzo list recipes [NAME …]`."""
    rooms = list(dict.fromkeys(role.namespace for role in ROLES.values()))
    if not words or words[0] in ("-h", "--help"):
        print("usage: ganzo list [recipes [NAME] | ROOM [COMPONENT]]\n")
        for room in rooms:
            print(f"{room:14} {', '.join(Registry.keys(room))}")
        print(f"{'recipes':14} {', '.join(recipes())}")
        return 0
    if words[0] == "recipes":
        for name in words[1:] or recipes():
            path = find_recipe(name)
            print(path.read_text(encoding="utf-8").rstrip() if words[1:] else f"{name:24} {shows(name)}")
        return 0
    if words[0] not in rooms:
        raise OptionError(
            f"There is no room `{words[0]}`; choose among {', '.join(rooms)}, or `recipes`."
            f"{nearest(words[0], [*rooms, 'recipes'])}"
        )
    role = next(role for role in ROLES.values() if role.namespace == words[0])
    for name in words[1:] or Registry.keys(role.namespace):
        cls = Registry.lookup(role.namespace, name)
        print(
            f"{name}: {(cls.__doc__ or '').strip() if words[1:] else (cls.__doc__ or '').strip().splitlines()[0]}"
        )
        for option in component_options(role, name) if words[1:] else ():
            print(f"  {option.flag}: {option.help} ({describe(option.kind)}; default {option.default})")
    return 0
