"""How much memory there is: what this process holds, and what is free for more."""

import dataclasses
from pathlib import Path

import torch

UNLIMITED = 1 << 60  # what stands for no limit, and more


@dataclasses.dataclass(frozen=True)
class Free:
    """Memory that is free.

    Args:
        bytes: how much
        where: of what, as a sentence names it
        refuses: whether more than that is refused, so that it may be tried; else the system may end the process
    """

    bytes: int
    where: str
    refuses: bool


def free_memory(device: torch.device | str, framework: int | None = None) -> Free | None:
    """The memory that is free on a device for the parts of a run; None where nothing tells.

    Args:
        device: where the run computes
        framework: bytes that the process takes without parts: whatever it holds beyond them can be used again; none
            where it holds no more
    """
    device = torch.device(device)
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return Free(torch.cuda.mem_get_info(device)[0] + unused, f"on {device}", True)
    found = [free for free in (available(), control_group(), address_space()) if free is not None]
    if device.type != "cpu" or not found:
        return None
    least = min(found, key=lambda free: free.bytes)
    again = 0 if framework is None else max(0, held() - framework)
    return dataclasses.replace(least, bytes=max(0, least.bytes + again))


def held() -> int:
    """Bytes of memory that this process has for itself, without mapped files; 0 where the system does not tell."""
    return numbers(Path("/proc/self/status")).get("RssAnon", 0) << 10


def available(path: Path = Path("/proc/meminfo")) -> Free | None:
    """What the machine could give without swapping."""
    kilobytes = numbers(path).get("MemAvailable")
    return None if kilobytes is None else Free(kilobytes << 10, "on this machine", False)


def control_group(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Free | None:
    """What the narrowest control group around this process leaves, as a container has one."""
    found = []
    for line in text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        names = ("memory.max", "memory.current", "inactive_file")
        folder = root
        if "memory" in controllers.split(","):  # the older kind
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            folder = root / "memory"
        elif controllers:
            continue
        inner = folder / path.strip("/")
        for group in dict.fromkeys((inner, *inner.parents, folder)):
            limit, used = (text(group / name).strip() for name in names[:2])
            if group.is_relative_to(folder) and limit.isdigit() and used.isdigit() and int(limit) < UNLIMITED:
                cached = numbers(group / "memory.stat").get(names[2], 0)  # given back when it is asked for
                found.append(int(limit) - int(used) + cached)
    return Free(min(found), "within the limit of the control group", False) if found else None


def address_space() -> Free | None:
    """What a limit of the process's address space leaves, as `ulimit -v` sets one."""
    try:
        import resource  # not on every system
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    taken = numbers(Path("/proc/self/status")).get("VmSize", 0) << 10
    return Free(limit - taken, "within the limit of its address space (`ulimit -v`)", True)


def numbers(path: Path) -> dict[str, int]:
    """The numbers of a file of lines such as `MemAvailable:  123 kB`, or `inactive_file 123`."""
    found = {}
    for line in text(path).splitlines():
        name, _, rest = line.replace(":", " ").partition(" ")
        if (value := rest.split()[:1]) and value[0].isdigit():
            found[name] = int(value[0])
    return found


def text(path: Path) -> str:
    """What a file of the system holds; nothing where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def amount(size: float) -> str:
    """A number of bytes as people write it."""
    for unit in ("KiB", "MiB"):
        size /= 1024
        if size < 1000:
            return f"{size:.0f} {unit}"
    return f"{size / 1024:.1f} GiB"
