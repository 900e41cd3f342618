"""The benchmark of data: three ways to the same pictures."""

import json

import pytest
import torch

from benchmarks import pipeline


def test_the_summary_of_given_windows():
    window = {"stored": 4000.0, "encoded": 1000.0, "decoded-0": 50.0, "decoded-2": 100.0}
    found = pipeline.summary([window, window, window | {"stored": 8000.0, "decoded-2": 40.0}])
    assert found["images_per_second"] == window
    assert found["stored_over_decoded"]["median"] == 40.0 and found["stored_over_decoded"]["high"] == 160.0
    assert found["encoded_over_decoded"]["median"] == 10.0
    text = pipeline.page({"32": found | {"side": 32, "packing": 500.0}})
    assert "| 32×32 | 4,000 | 1,000 | 50 | 100 | 40.000 (40.000 – 160.000) | yes |" in text
    slow = found | {
        "stored_over_decoded": found["stored_over_decoded"] | {"low": 19.9},
        "side": 32,
        "packing": 1.0,
    }
    assert "**no**" in pipeline.page({"32": slow})


def test_decoding_and_the_store_give_the_same_pictures(own_folder):
    from PIL import Image

    (own_folder / "in").mkdir()
    for number in range(2):
        Image.new("RGB", (5, 4), (number * 100, 7, 200)).save(own_folder / "in" / f"{number}.png")
    found = pipeline.Decoded(own_folder / "in", 2)[1]
    assert found.shape == (3, 2, 2) and found[0].unique().tolist() == pytest.approx([100 / 127.5 - 1])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # two workers on a single core
def test_each_way_is_timed_and_recorded(own_folder, monkeypatch):
    monkeypatch.setattr(pipeline, "BATCH", 8)
    threads = torch.get_num_threads()
    pipeline.main(
        ["--rows", "32", "--quick", "--seconds", "0.01", "--record", str(own_folder / "pipeline.json")]
    )
    row = json.loads((own_folder / "pipeline.json").read_text())["rows"]["32"]
    assert len(row["windows"]) == 2 and set(row["windows"][0]) == {
        "stored",
        "encoded",
        "decoded-0",
        "decoded-2",
    }
    assert row["packing"] > 0 and torch.get_num_threads() == threads
