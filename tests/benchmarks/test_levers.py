"""The benchmark of levers: each is switched off alone, and the ones that must not change numbers do not."""

import dataclasses
import json

import pytest
from benchmarks.rows import Row

from benchmarks import levers
from ganzo.options import make_options


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch):
    values = {
        "dataset": "digits",
        "image_size": 8,
        "image_colors": 1,
        "batch_size": 32,
        "state_size": 4,
        "seed": 3,
    }
    networks = {"generator_layers": 2, "discriminator_layers": 2, "regularizer": "r1:every=2"}
    row = Row("small", lambda folder: make_options(**values, **networks))
    for name in levers.ROWS:
        monkeypatch.setitem(levers.ROWS, name, row)


def measured(own_folder, *names):
    arguments = ["--rows", ",".join(names), "--quick", "--threads", "1", "--seconds", "0.01"]
    levers.main([*arguments, "--record", str(own_folder / "levers.json")])
    return json.loads((own_folder / "levers.json").read_text())["rows"]


EXACT = [
    "channels-last/conv-32",
    "fused-foreach/conv-32",
    "fused-loop/digits",
    "no-graph/conv-32",
    "frozen/digits",
    "one-pass/digits",
]
INEXACT = ["bf16/conv-32", "reuse-fakes/digits", "fp32-penalty/digits"]


def test_each_lever_is_switched_off_alone(own_folder):
    rows = measured(own_folder, *EXACT, *INEXACT)
    assert list(rows) == [name for name in levers.NAMES if name in (*EXACT, *INEXACT)]
    for name in EXACT:
        assert rows[name]["losses_differ_by"] < 1e-5, name
    for name in INEXACT:
        assert rows[name]["losses_differ_by"] > 1e-7, name
    for row in rows.values():
        assert row["ratio"]["low"] <= row["ratio"]["median"] <= row["ratio"]["high"]
        assert len(row["windows"]) == 2 and set(row["windows"][0]) == {"with", "without"}
    text = (own_folder / "levers.md").read_text()
    assert all(f"| {name.split('/')[0]} |" in text for name in rows)


def test_what_this_machine_lacks_is_said(own_folder, monkeypatch):
    monkeypatch.setattr(levers, "can_compile", lambda device: False)
    alone = dataclasses.replace(levers.LEVERS["threads"], on={"threads": 1})
    monkeypatch.setitem(levers.LEVERS, "threads", alone)
    rows = measured(own_folder, "fp16/conv-32", "cuda-graphs/digits", "compile/digits", "threads/digits")
    assert rows["threads/digits"]["left_out"] == "there is one core"
    assert (
        rows["fp16/conv-32"]["left_out"] == rows["cuda-graphs/digits"]["left_out"] == "it needs a CUDA device"
    )
    assert rows["compile/digits"]["left_out"] == "torch's compiler does not work here"
    assert "not measured: it needs a CUDA device" in (own_folder / "levers.md").read_text()


def test_the_lines_of_the_tables():
    ratio = {"median": 1.5, "low": 1.25, "high": 1.75, "coverage": 0.96}
    row = {
        "lever": "compile", "about": "x", "network": "digits", "default": "no", "ratio": ratio, "ratio_by_cpu": ratio,
        "losses_differ_by": 2e-7, "threads": 2, "layout": "NHWC", "precision": "bf16",
        "first_turn_seconds": {"with": 31.26, "without": 0.5}, "compiled_after_warm_up": 0,
    }  # fmt: skip
    text = levers.page({"compile/digits": row})
    assert (
        "| compile | x | digits | 1.500 (1.250 – 1.750) | 1.500 | 2.0e-07 | no | 2 threads, NHWC, bf16 |"
        in text
    )
    assert "| digits | 31.3 | 0.50 | 0 |" in text


def test_every_lever_names_rows_that_there_are():
    assert {name for lever in levers.LEVERS.values() for name in lever.networks} <= set(levers.ROWS)
