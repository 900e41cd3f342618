"""The benchmarks lie beside the package, not in it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.fixture
def small_rows(monkeypatch, own_folder):
    """Every row with small networks and batches: from a name to its options."""
    from benchmarks import rows

    monkeypatch.setattr(rows, "PICTURES", 16)

    def options(name, **values):
        found = rows.ROWS[name].options(own_folder)
        small = {"batch_size": 2, "generator_channels": 8, "discriminator_channels": 4, "state_size": 8}
        for key, value in (small | values).items():
            setattr(found, key, value)
        return found

    return options
