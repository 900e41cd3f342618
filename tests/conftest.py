"""What every test shares: one thread, and a folder of its own."""

import os

import pytest
import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and knows nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANZO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("GANZO_LOAD_MODULES", raising=False)
    return tmp_path
