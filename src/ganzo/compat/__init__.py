"""Command lines of the older systems: `--as NAME` and their words to ours, one file for each system."""

import importlib
import pkgutil

from ganzo.registry import OptionError, nearest

FLAG = "--as"


def translated(words: list[str]) -> list[str]:
    """The words of a command, from whichever system `--as` names; as they are where nothing is named."""
    place = next((i for i, word in enumerate(words) if word.partition("=")[0] == FLAG), None)
    if place is None:
        return words
    name, taken = words[place].partition("=")[2], 1
    if "=" not in words[place]:
        name, taken = "".join(words[place + 1 : place + 2]), 2
    known = [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]
    if name.replace("_", "-") not in known:
        raise OptionError(
            f"`{FLAG}` must name an older system, {', '.join(known)}; got `{name}`.{nearest(name, known)}"
        )
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return module.translate(words[:place] + words[place + taken :])
