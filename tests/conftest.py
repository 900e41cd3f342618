"""What every test shares: one thread, a folder of its own, and, where it is demanded, no skips."""

import os

import pytest
import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and knows nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GANZO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GANZO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(autouse=True)
def same_threads():
    """A run sets torch's number of threads; the next test starts with one again."""
    yield
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With GANZO_NO_SKIPS a skipped test fails, so that no optional part is forgotten; only a missing GPU excuses."""
    report = (yield).get_result()
    if report.skipped and "gpu" not in item.keywords and NO_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"skipped where every part must be there: {report.longrepr}"


NO_SKIPS = bool(os.environ.get("GANZO_NO_SKIPS"))
