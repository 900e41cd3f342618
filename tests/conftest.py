"""What every test shares: one thread, a folder of its own, and, where it is demanded, no skips."""

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)


ENVIRONMENT = ("GANZO_", "SLURM_", "SHK_", "WANDB_", "MLFLOW_", "COMET_")  # what a run heeds


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and knows nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT) or name == "RESULTS_DIR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_MODE", "offline")  # no test asks a server
    monkeypatch.setenv("GANZO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(autouse=True)
def as_at_the_start():
    """A run sets torch's number of threads, and says some things once; the next test starts anew."""
    from ganzo.data.progress import tell

    tell.cache_clear()
    yield
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With GANZO_NO_SKIPS a skipped test fails, so that no optional part is forgotten; a missing GPU excuses.

    So does GANZO_NO_BROWSER for tests that open a page.
    """
    report = (yield).get_result()
    excused = "gpu" in item.keywords or ("browser" in item.keywords and NO_BROWSER)
    if report.skipped and not excused and NO_SKIPS:
        report.outcome = "failed"
        report.longrepr = f"skipped where every part must be there: {report.longrepr}"


NO_SKIPS, NO_BROWSER = (bool(os.environ.get(f"GANZO_{name}")) for name in ("NO_SKIPS", "NO_BROWSER"))


class Said(NamedTuple):
    """What a command left behind: its exit status, and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def ganzo(capsys):
    """Run a command in this process: `ganzo("train --dry-run")`, or `ganzo("train", "--experiment", "a b")`."""
    from ganzo.cli import main

    def run(*words):
        capsys.readouterr()
        try:
            status = main(words[0].split() if len(words) == 1 else list(words))
        except SystemExit as error:
            status = error.code
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def refused(ganzo):
    """Run a command that must be refused, with one sentence and exit status 2, and write nothing: the sentence."""

    def run(*words):
        before = sorted(path for path in Path().rglob("*") if "cache" not in path.parts)
        said = ganzo(*words)
        assert said.status == 2, said
        assert "Traceback" not in said.err
        lines = [line for line in said.err.splitlines() if not line.startswith("ganzo: warning: ")]
        assert len(lines) == 1 and lines[0].startswith("ganzo: error: "), said.err
        assert said.out == ""
        assert sorted(path for path in Path().rglob("*") if "cache" not in path.parts) == before
        return lines[0].removeprefix("ganzo: error: ")

    return run


@pytest.fixture
def registry(own_folder, monkeypatch):
    """The registry, for a test that adds to it; what it added is forgotten afterwards."""
    from ganzo import catalogue, loading
    from ganzo.registry import Registry

    caches = (
        loading.scan,
        loading.load_modules,
        loading.load_from_path,
        catalogue.common_options,
        catalogue.catalogue,
    )
    for namespace in (*{role.namespace for role in catalogue.ROLES.values()}, "common"):
        Registry.keys(namespace)
    catalogue.common_options()
    monkeypatch.setattr(Registry, "_classes", {room: {**known} for room, known in Registry._classes.items()})
    monkeypatch.setattr(Registry, "_defaults", {**Registry._defaults})
    monkeypatch.setattr(Registry, "_option_functions", [*Registry._option_functions])
    for cache in caches:
        cache.cache_clear()
    yield Registry
    for cache in caches:
        cache.cache_clear()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(own_folder)):
            del sys.modules[name]


@pytest.fixture
def tiny():
    """A command line that trains in a moment, but for the name of the run."""
    return (
        "--dataset digits --image-size 8 --image-colors 1 --batch-size 8 --state-size 4 --generator-layers 2"
        " --discriminator-layers 2 --threads 1 --no-tune --log none --epochs 1 --max-batches-per-epoch 2"
    )


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A folder that outlives the tests."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(ganzo, tiny, kept):
    """A run called `t` that has played one epoch of two turns; returns its folder."""
    if not (kept / "models").is_dir():
        assert ganzo(f"{tiny} --experiment t --seed 5").status == 0
        shutil.copytree("output", kept / "output")
        shutil.copytree("models", kept / "models")
    else:
        for name in ("models", "output"):
            shutil.copytree(kept / name, name)
    return Path("models/t")
