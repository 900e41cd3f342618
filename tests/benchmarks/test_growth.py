"""The benchmark of growth."""

import json

import pytest

from benchmarks import growth, set_size


def test_the_tables_of_given_figures():
    line = {"what": "16×16 pixels", "pixels": 256, "images_per_second": 1e4, "ms_per_turn": 1.6, "megabytes": 20.4,
            "threads": 2, "precision": "bf16"}  # fmt: skip
    few = {"what": "1,000 pictures", "number": 1000, "built": 0.1, "playing_peak": 0.1, "mirrored": 0.1, "packing": 0.2,
           "images_per_second": 5e6, "reset_ms": 0.0123, "state_dict_ms": 0.001}  # fmt: skip
    many = few | {"what": "1,001,000 pictures", "number": 1_001_000, "playing_peak": 4.1}
    text = growth.page({"image-size": {"lines": [line]}, "pictures": {"lines": [few, many]}})
    assert "| 16×16 pixels | 10,000 | 1.6 | 2.56 | 20 | 2 threads, NHWC, bf16 |" in text
    assert "| 1,000 pictures | 0.1 | 0.1 | 0.1 | 0.2 | 5,000,000 | 0.01 | 0.001 |" in text
    assert "Private memory grows by 4.0 bytes a picture (asked for: none; **not met**)" in text
    assert "none; **not met**)" in growth.page({"pictures": {"lines": [few, many | {"playing_peak": 9.0}]}})
    assert "none; met)" in growth.page({"pictures": {"lines": [few, many | {"playing_peak": 0.1}]}})


@pytest.mark.parametrize("vary", [False, True])
def test_a_set_is_packed_once_and_takes_little_private_memory(own_folder, vary):
    packed = set_size.measure(1000, own_folder / "cache", vary)
    found = set_size.measure(1000, own_folder / "cache", vary)
    assert len(list((own_folder / "cache").iterdir())) == 1
    assert found["pictures"] == packed["pictures"] == 1000
    assert found["built"] <= found["playing_peak"] + 1 and found["playing_peak"] < 50
    assert found["images_per_second"] > 0 and found["reset_ms"] >= 0 <= found["state_dict_ms"]


def test_the_pictures_of_a_made_set_differ_and_have_ten_classes():
    source = set_size.Made(20)
    pixels = {source.pixels(index).tobytes() for index in range(20)}
    assert len(pixels) == 20 and sorted(set(source.labels)) == list(range(10))


def test_private_memory_at_its_peak_is_seen_also_when_it_is_given_back():
    import torch

    before = set_size.private()
    with set_size.Peak() as peak:
        for _ in range(20):
            torch.ones(25_000_000).sum()  # 100 MB
    assert 80 < peak.most - before < 200


@pytest.mark.slow
def test_every_row_is_measured_and_recorded(own_folder, monkeypatch):
    monkeypatch.setattr(growth, "SIZES", (16, 32))
    growth.main(["--quick", "--threads", "1", "--device", "cpu", "--record", str(own_folder / "growth.json")])
    rows = json.loads((own_folder / "growth.json").read_text())["rows"]
    assert list(rows) == list(growth.ROWS)
    assert [line["what"] for line in rows["pictures"]["lines"]] == ["1,000 pictures", "10,000 pictures"]
    assert all(line["megabytes"] > 0 for name in ("image-size", "batch") for line in rows[name]["lines"])
