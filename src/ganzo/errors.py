"""What Ganzo says when something is wrong: one sentence, and exit status 2."""

import difflib
from collections.abc import Iterable


class GanzoError(ValueError):
    """Something that the user can mend: what must hold, what came, what to do."""


class OptionError(GanzoError):
    """An option that is unknown, of the wrong type, out of range, or impossible beside another one."""


class RegistryError(GanzoError):
    """A component that is not registered, cannot be loaded, or is registered twice."""


class DataError(GanzoError):
    """Data that are missing, empty, damaged, or do not fit the run."""


class RunError(GanzoError):
    """A run's folder that cannot be used: taken, damaged, full, or not there."""


class Followed(GanzoError):
    """Another process of the run could not go on, and says why; this one ends without a word."""


class Parted(RunError):
    """Another process of the run has ended or cannot be reached."""


class MemoryShortage(GanzoError):
    """Memory that there is not enough of."""


RegistryException = RegistryError  # the name that the old documentation used


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ` Did you mean …?` with the nearest of `names`, or nothing when none is near."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.65)
    return f" Did you mean `{found[0]}`?" if found else ""


def is_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it followed, says that memory lacks: torch has no one class for that."""
    signs = ("out of memory", "allocate memory", "Storage size calculation overflowed", "bad_alloc")
    if error is None:
        return False
    said = str(error).strip()
    unsaid = said == "could not create a primitive"  # what oneDNN says where a CPU's memory is used up
    found = isinstance(error, MemoryError) or unsaid or any(sign in said for sign in signs)
    return found or is_memory(error.__context__)
