"""What is free, and where that stands written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ganzo import free
from ganzo.free import Free, address_space, amount, available, control_group, free_memory, held, numbers

MIB = 1 << 20


@pytest.mark.parametrize(
    "size, words",
    [(0, "0 KiB"), (2048, "2 KiB"), (3 * MIB, "3 MiB"), (999 * MIB, "999 MiB"), (1536 * MIB, "1.5 GiB")],
)
def test_amounts(size, words):
    assert amount(size) == words


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_numbers_of_a_file(tmp_path):
    write(tmp_path, a="MemFree:   12 kB\nnone\ninactive_file 3\nName:\tpython\n")
    assert numbers(tmp_path / "a") == {"MemFree": 12, "inactive_file": 3}
    assert numbers(tmp_path / "b") == {}


def test_what_the_machine_has(tmp_path):
    write(tmp_path, meminfo="MemTotal: 9 kB\nMemAvailable:  2048 kB\n")
    assert available(tmp_path / "meminfo") == Free(2 * MIB, "on this machine", refuses=False)
    assert available(tmp_path / "none") is None


def test_a_control_group(tmp_path):
    """The group's own limit is wider than that of the group around it; what is cached is given back."""
    write(tmp_path, own="0::/outer/inner\n")
    write(tmp_path / "fs/outer/inner", memory__max=str(9 * MIB), memory__current=str(MIB))
    write(tmp_path / "fs/outer", memory__max=str(5 * MIB), memory__current=str(3 * MIB))
    write(tmp_path / "fs/outer", memory__stat=f"anon 1\ninactive_file {MIB}\n")
    found = control_group(tmp_path / "fs", tmp_path / "own")
    assert found == Free(3 * MIB, "within the limit of the control group", refuses=False)


def test_a_control_group_as_a_container_sees_its_own(tmp_path):
    write(tmp_path, own="0::/\n")
    write(tmp_path / "fs", memory__max=str(4 * MIB), memory__current=str(MIB))
    assert control_group(tmp_path / "fs", tmp_path / "own").bytes == 3 * MIB


def test_a_control_group_of_the_older_kind(tmp_path):
    write(tmp_path, own="5:cpu:/x\n4:memory:/x/y\n0::/\n")
    group = tmp_path / "fs/memory/x/y"
    write(group, memory__limit_in_bytes=str(4 * MIB), memory__usage_in_bytes=str(2 * MIB))
    write(group, memory__stat=f"total_inactive_file {MIB}\n")
    write(tmp_path / "fs/memory", memory__limit_in_bytes=str(2**63 - 4096), memory__usage_in_bytes="7")
    assert control_group(tmp_path / "fs", tmp_path / "own").bytes == 3 * MIB


def test_no_control_group(tmp_path):
    write(tmp_path, own="0::/\n")
    write(tmp_path / "fs", memory__max="max", memory__current="7")
    assert control_group(tmp_path / "fs", tmp_path / "own") is None
    assert control_group(tmp_path / "fs", tmp_path / "none") is None


def test_the_address_space_is_free_but_for_what_is_taken(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, 0))
    assert address_space() is None
    taken = numbers(Path("/proc/self/status"))["VmSize"] << 10
    monkeypatch.setattr(resource, "getrlimit", lambda which: (taken + 5000 * MIB, 0))
    found = address_space()
    assert abs(found.bytes - 5000 * MIB) < 100 * MIB and found.refuses and "ulimit -v" in found.where


def test_what_a_process_holds_grows_with_it():
    code = (
        "from ganzo.free import held; before = held(); a = b'x' * 50_000_000; print(held() - before, bool(a))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True
    )
    assert 45_000_000 < int(done.stdout.split()[0]) < 60_000_000


def test_the_narrowest_of_all_limits_counts(monkeypatch):
    for name, size in (("available", 9), ("control_group", 4), ("address_space", 6)):
        monkeypatch.setattr(free, name, lambda name=name, size=size: Free(size, name, False))
    assert free_memory("cpu") == Free(4, "control_group", False)


def test_what_a_process_holds_beside_the_framework_can_be_used_again(monkeypatch):
    monkeypatch.setattr(free, "available", lambda: Free(100, "here", False))
    monkeypatch.setattr(free, "control_group", lambda: None)
    monkeypatch.setattr(free, "address_space", lambda: None)
    monkeypatch.setattr(free, "held", lambda: 70)
    assert free_memory("cpu", framework=50).bytes == 120
    assert free_memory("cpu", framework=90).bytes == 100
    assert free_memory("cpu").bytes == 100


def test_where_nothing_tells_nothing_is_known(monkeypatch):
    for name in ("available", "control_group", "address_space"):
        monkeypatch.setattr(free, name, lambda: None)
    assert free_memory("cpu") is None
    monkeypatch.setattr(free, "available", lambda: Free(1, "here", False))
    assert free_memory("meta") is None


@pytest.mark.gpu
def test_a_device_counts_what_torch_keeps_for_itself():
    blocks = [torch.zeros(100 * MIB, dtype=torch.uint8, device="cuda") for _ in range(2)]
    before = free_memory("cuda:0")
    blocks.pop()  # torch keeps it
    assert free_memory("cuda:0").bytes - before.bytes >= 100 * MIB and before.where == "on cuda:0"


def test_this_process_holds_something():
    assert held() > 50 * MIB
