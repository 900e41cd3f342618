"""What processes exchange: counted, timed with two, and worked out for more."""

import json

import pytest
from benchmarks.rows import Row

from benchmarks import ranks as bench
from ganzo.assemble import assemble
from ranked import Started
from small import small

ROW = {"exchanges": [8e6, 4e6], "alone": 0.3, "together": 0.2002, "exchange": 0.05, "batch_size": 8}
ROW |= {"precision": "fp32", "device": "cpu"}


def test_a_ring_takes_twice_the_bytes_and_a_latency_for_each_step(monkeypatch):
    monkeypatch.setattr(bench, "LINKS", {"wire": (1e9, 1e-3)})
    # 14/8 of 12 MB at 1 GB/s, and 14 steps of a millisecond for either exchange
    assert bench.ring(ROW, 8, "wire") == pytest.approx(14 / 8 * 12e-3 + 2 * 14e-3)
    assert bench.own(ROW) == pytest.approx(0.1502)
    assert bench.own({key: ROW[key] for key in ("alone", "exchanges")}) == 0.3


def test_the_page_parts_what_was_measured_from_what_was_not(monkeypatch):
    monkeypatch.setattr(bench, "LINKS", {"wire": (1e9, 0.0), "other": (1e9, 0.0)})
    text = bench.page({"fc": ROW, "translate": {k: ROW[k] for k in ROW if k not in ("together", "exchange")}})
    measured, arithmetic = text.split("## Arithmetic, not measured")
    assert "| 8.00 + 4.00 MB | 300 ms | 200 ms | 1.50 | 50 ms | 25.0% |" in measured
    assert "| 8.00 + 4.00 MB | 300 ms | - | - | - | - |" in measured
    assert arithmetic.count("| fc |") == arithmetic.count("| translate |") == 2 * len(bench.LINKS)
    # of 12 MB, 7/4 at 8 devices and 63/32 at 64; nine times that is nine tenths of a turn
    assert "| fc | wire | 21 | 22.5 | 23.2 | 23.6 | 213 |" in arithmetic
    assert "| fc | 150 | wire | 171 | 173 | 173 | 174 |" in arithmetic


def test_what_is_exchanged_in_a_turn_is_counted():
    parts = assemble(small(discriminator_iterations=2, generator_iterations=1))
    floats, seconds = bench.first_turns(parts)
    sizes = [sum(w.numel() for w in player.network.parameters()) for player in parts.game.players.values()]
    assert floats == [sizes[1], sizes[1], sizes[0]] and seconds > 0


def told_by_two(folder):
    bench.ALL = {"fc": Row("small", lambda folder: small(max_batches_per_epoch=None))}
    return bench.played("fc", folder, 0.05, 2)


@pytest.mark.slow
def test_two_processes_play_beside_one(tmp_path):
    first, second = (left.result for left in Started(told_by_two, tmp_path).left())
    assert first["exchanges"] == second["exchanges"] and len(first["exchanges"]) == 2
    assert first["turns"] == second["turns"]
    assert len(first["windows"]["alone"]) == len(first["windows"]["together"]) == 2
    assert second["alone"] is None and first["alone"] > 0 and first["exchange"] > 0


@pytest.mark.slow
def test_a_record_is_written(tmp_path, monkeypatch):
    row = Row("small", lambda folder: small(max_batches_per_epoch=None))
    monkeypatch.setattr(bench, "ALL", {"fc": row})
    monkeypatch.setattr(
        bench, "measure", lambda name, args, folder: bench.played_alone(name, folder, 0.05, 2, "cpu")
    )
    bench.main(["--rows", "fc", "--record", str(tmp_path / "ranks.json")])
    found = json.loads((tmp_path / "ranks.json").read_text())["rows"]["fc"]
    assert found["alone"] > 0 and found["measured"]["command"].startswith(
        "python -m benchmarks.ranks --rows fc"
    )
    assert "# What several processes of a run exchange" in (tmp_path / "ranks.md").read_text()
