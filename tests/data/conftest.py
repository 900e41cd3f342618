"""What several tests of data need."""

import shutil
import subprocess

import pytest


@pytest.fixture
def tmpfs(tmp_path):
    """A disk of 64 KiB; `tmpfs("ro")` makes it read-only."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join(("size=64k", *options)), "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("a full or read-only disk is a tmpfs, and mounting one is not allowed here")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True)
