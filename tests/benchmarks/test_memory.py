"""Predicted memory, held against what processes take."""

import json

import pytest

from benchmarks import memory

MIB = 2**20
ROW = {
    "batch_size": 8,
    "items": {"weights": 3 * MIB, "allocator": MIB},
    "predicted": 4 * MIB,
    "tensors": 3 * MIB,
}
ROW |= {"taken": 5 * MIB, "all_taken": [4 * MIB, 5 * MIB, 6 * MIB], "ratio": 0.8, "turns": 5}


def test_the_page_sets_the_prediction_beside_what_was_taken():
    assert "| fc-64-fp32 | 8 | 3 | 4 | 5 | 4 – 6 | 0.80 |" in memory.page({"fc-64-fp32": ROW})


def test_every_network_is_measured_in_both_precisions():
    assert len(memory.ROWS) == 2 * len(memory.NETWORKS) and memory.ROWS["fc-64-bf16"] == ("fc-64", "bf16")


@pytest.mark.slow
def test_a_record_is_written(tmp_path, monkeypatch):
    """The prediction is made and the turns are played in processes of their own; what they take is seen from here."""
    path = tmp_path / "memory.json"
    memory.main(["--rows", "u-gen-64-fp32", "--quick", "--record", str(path)])
    row = json.loads(path.read_text())["rows"]["u-gen-64-fp32"]
    assert row["predicted"] == sum(row["items"].values()) > row["tensors"] > 0
    assert len(row["all_taken"]) == 1 and 0.5 < row["ratio"] < 2
    assert "| u-gen-64-fp32 | 64 |" in path.with_suffix(".md").read_text()
