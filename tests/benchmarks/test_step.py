"""The benchmark of a step: windows, ratios, memory and tables."""

import json

import pytest
import torch
from benchmarks.measuring import lengths, order_of, peak_of, seconds_of, windows
from benchmarks.rows import Row
from benchmarks.sides import Side, settled

from benchmarks import measuring, peak, step
from ganzo.options import make_options


def tiny(**values):
    values = {"dataset": "digits", "image_size": 8, "image_colors": 1, "batch_size": 32, "state_size": 4,
              "generator_layers": 2, "discriminator_layers": 2, "seed": 3} | values  # fmt: skip
    return make_options(**values)


def test_every_side_is_first_and_last_as_often():
    assert ["".join(order_of(list("AB"), number)) for number in range(4)] == ["AB", "BA", "BA", "AB"]
    orders = [order_of(list("ABC"), number) for number in range(12)]
    for among in (orders, orders[::2]):  # some play in even rounds alone
        for place in (0, -1):
            assert sorted(order[place] for order in among) == sorted(len(among) // 3 * "ABC")


def test_windows_hold_as_many_lazy_penalties_and_at_least_one():
    assert lengths(1.0, 0.1) == 10 and lengths(1.0, 0.1, 8) == 8 and lengths(1.0, 30.0, 8) == 8


def test_long_turns_have_fewer_rounds_but_enough_for_an_interval():
    assert step.rounds_of(51, 0.3, window=0.3) == 51 and step.rounds_of(51, 0.3, window=0.6) == 25
    assert step.rounds_of(51, 0.3, window=5.0) == step.LEAST and step.rounds_of(2, 0.1, window=5.0) == 2


def test_sides_that_play_seldom_are_compared_in_the_rounds_in_which_they_played(monkeypatch):
    played = []
    monkeypatch.setattr(measuring, "timed", lambda side, turns: (side.play(turns), (side.seconds, 1.0))[1])
    sides = {}
    for name, seconds in (("ganzo", 2.0), ("plain", 3.0)):
        sides[name] = type(
            "Fake", (), {"seconds": seconds, "play": lambda self, n, name=name: played.append((name, n))}
        )()
    found = windows(sides, {"ganzo": 4, "plain": 1}, 4, seldom=["plain"])
    assert played.count(("ganzo", 4)) == 4 and played.count(("plain", 1)) == 2
    assert seconds_of(found, "plain", "ganzo") == ([3.0, 3.0], [2.0, 2.0])
    assert seconds_of(found, "plain", "ganzo", by_cpu=True) == ([1.0, 1.0], [1.0, 1.0])


def test_the_summary_of_given_windows():
    sides = {"ganzo": (2.0, 1.0), "tuned": (3.0, 1.1), "plain": (5.0, 4.0), "networks": (1.5, 1.0)}
    found = step.summary([sides, sides, {name: sides[name] for name in ("ganzo", "tuned")}], images=60)
    assert found["images_per_second"]["tuned"] == {"best": 20.0, "median": 20.0}
    assert found["ganzo_over_tuned"]["median"] == 1.5 and found["ganzo_over_tuned"]["windows"] == 3
    assert found["ganzo_over_tuned_by_cpu"]["median"] == pytest.approx(1.1)
    assert found["ganzo_over_plain"]["median"] == 2.5 and found["ganzo_over_plain"]["windows"] == 2
    assert found["not_networks"] == {"median": 0.25, "low": 0.25, "high": 0.25}


def row(**values):
    found = step.summary(
        [{"ganzo": (2.0, 1.0), "tuned": (1.9, 1.0), "plain": (3.0, 1.0), "networks": (1.5, 1.0)}], 60
    )
    rest = {"about": "x", "over_plain": 1.7, "threads": 1, "layout": "NCHW", "precision": "fp32", "ganzo_chose": None,
            "weights_differ_by": 0.0, "memory": {"ganzo": 105.0, "tuned": 100.0, "ratio": 1.05}}  # fmt: skip
    return found | rest | values


def cells(text, first):
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_targets_stand_beside_what_was_measured():
    text = step.page(
        {
            "a": row(),
            "b": row(
                weights_differ_by=1e-3,
                over_plain=None,
                memory={"ganzo": 106.0, "tuned": 100.0, "ratio": 1.06},
            ),
        }
    )
    assert cells(text, "a")[1:8] == [
        "0.950 (0.950 – 0.950)",
        "**no**",
        "1.000",
        "1.050",
        "yes",
        "1.500 (1.500 – 1.500)",
        "≥ 1.7: **no**",
    ]
    assert cells(text, "a")[8:] == ["25.0% (25.0% – 25.0%)", "equal"]
    assert (
        cells(text, "b")[5] == "**no**"
        and cells(text, "b")[7] == ""
        and cells(text, "b")[9] == "differ by 1.0e-03"
    )
    assert "1 thread, NCHW, fp32" in text and "30.0 / 30.0" in text


def test_rows_tables_and_record(monkeypatch, capsys, own_folder):
    monkeypatch.setitem(step.ROWS, "conv-32", Row("small", lambda folder: tiny(loss="hinge"), 1.7))
    arguments = ["--rows", "conv-32", "--seconds", "0.02", "--rounds", "3", "--threads", "1", "--quick"]
    monkeypatch.setattr(step, "peak_of", lambda options, side, turns: {"ganzo": 3.0, "tuned": 2.0}[side])
    found = step.main([*arguments, "--record", str(own_folder / "records" / "step.json")])["conv-32"]
    assert "conv-32" in capsys.readouterr().out
    record = json.loads((own_folder / "records" / "step.json").read_text())["rows"]["conv-32"]
    assert len(record["windows"]) == 2 and record["options"]["seed"] == 3
    assert found["weights_differ_by"] == 0 and found["memory"]["ratio"] == 1.5
    assert found["turns"]["ganzo"] == found["turns"]["tuned"] and found["ganzo_over_tuned"]["low"] > 0
    assert "| conv-32 |" in (own_folder / "records" / "step.md").read_text()


def test_an_unknown_row_is_an_error(capsys):
    with pytest.raises(SystemExit):
        step.main(["--rows", "cnov"])
    assert "cnov" in capsys.readouterr().err


def test_the_trial_takes_the_quickest_choice(monkeypatch):
    seconds = {(False, 1): 3.0, (False, 2): 2.0, (True, 1): 9.0, (True, 2): 1.0}
    tried = []

    def timed(side, turns):
        choice = (side.layout, torch.get_num_threads())
        tried.append(choice)
        return seconds[choice], 0.0

    class Fake:
        work = type("Work", (), {"r1": None, "r2": None, "slope": None})

        def __init__(self, options):
            self.layout = options.channels_last

        tuned, side = (lambda self: self), (lambda self, loop: loop)

    monkeypatch.setattr(measuring, "timed", timed)
    monkeypatch.setattr(measuring, "Sides", Fake)
    layout, threads, best = measuring.choose(tiny(), 0.001, [1, 2])
    assert (layout, threads) == (True, 2) and best == seconds
    assert tried.count((True, 1)) < tried.count((True, 2)), "what is hopeless is not tried again"


def test_ganzo_chooses_by_a_trial_of_its_own(monkeypatch):
    from ganzo.machine import Machine

    monkeypatch.setattr(
        Machine, "choose", lambda self, options, assemble: setattr(self, "channels_last", True)
    )
    assert step.own_choice(tiny(threads=3)) == "3 threads, NHWC"


def test_a_side_has_random_numbers_of_its_own():
    drawn = {"a": [], "b": []}
    sides = {
        name: Side(lambda turns, name=name: drawn[name].append(torch.rand(turns)), "cpu") for name in drawn
    }
    before = torch.get_rng_state()
    for name in "abba":
        sides[name].play(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert (
        torch.equal(torch.cat(drawn["a"]), torch.cat(drawn["b"]))
        and len(set(torch.cat(drawn["a"]).tolist())) == 4
    )


def test_memory_at_its_peak_is_seen_also_when_it_is_given_back():
    megabytes = peak.growth(lambda: torch.ones(25_000_000).sum(), "cpu")
    assert 99 < megabytes < 130
    assert peak.growth(lambda: None, "cpu") < 20


@pytest.mark.slow
def test_each_side_is_measured_in_a_process_of_its_own():
    options = settled(tiny(batch_size=64), layout=False, threads=1)
    found = {side: peak_of(options, side, 2) for side in ("ganzo", "tuned")}
    assert all(0 < megabytes < 500 for megabytes in found.values()), found


@pytest.mark.parametrize("side", ["ganzo", "tuned"])
def test_a_side_is_measured_while_it_plays(side):
    options = settled(tiny(batch_size=512, state_size=256), layout=False, threads=1)
    assert 0 <= peak.measured(options, side, 2) < 200  # this process holds memory that it may use again


@pytest.mark.slow
def test_a_side_that_cannot_be_measured_is_told():
    with pytest.raises(SystemExit, match="failed"):
        peak_of(tiny(channels_last=False, threads=1), "neither", 1)
