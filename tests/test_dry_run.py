import re
import sys
from pathlib import Path

import pytest
import torch

from ganzo import dry_run as shown
from ganzo import forecast
from ganzo.free import Free
from ganzo.game.standard import StandardGame
from ganzo.generator.fc import FCGenerator
from ganzo.launch import Ranks
from ganzo.options import saveable
from third_games import THIRD


def rows(said):
    return {" ".join(line[:34].split()): line for line in said.out.splitlines()}


def table(said):
    """The value and the source of each option, from the columns of the print."""
    head = said.out.partition("\n\n")[0].splitlines()
    width = min(len(line) - len(line[2:].partition("  ")[2].lstrip()) for line in head)
    found = {}
    for line in head:
        key, _, rest = line[:width].rstrip(), "", line[width:]
        value, _, source = rest.strip().rpartition("  ")
        found[key.strip()] = (value.strip(), source)
    return found


@pytest.fixture
def dry(ganzo, tiny):
    def run(words=""):
        said = ganzo(f"{tiny} --seed 3 --dry-run {words}")
        assert said.status == 0, said.err
        return said

    return run


def test_every_value_has_who_set_it(dry, own_folder, monkeypatch):
    monkeypatch.setenv("GANZO_KEEP_CHECKPOINTS", "4")
    (own_folder / "a.yaml").write_text("loss: {name: hinge, margin: 0.5}\nlr: 1e-3\n")
    (own_folder / "b.json").write_text('{"output_dir": "there"}')
    found = table(dry("--config a.yaml --generator-lr 1e-2 --from-json b.json"))
    assert found["loss"] == ("hinge", "config a.yaml")
    assert found["margin"] == ("0.5", "config a.yaml")
    assert found["discriminator_lr"] == ("0.001", "config a.yaml")
    assert found["generator_lr"] == ("0.01", "command line")
    assert found["generator_layers"] == ("2", "command line")
    assert found["keep_checkpoints"] == ("4", "environment")
    assert found["output_dir"] == ("there", "from-json b.json")
    assert found["state_size"] == ("4", "command line")
    assert found["generator_beta2"] == ("0.9", "default")
    assert found["device"] == ("None", "default")


def test_every_saved_option_is_shown(dry):
    from ganzo.options import make_options

    found = table(dry("--generator fc --loss gan"))
    assert set(saveable(make_options())) - {"data_dir", "formats"} <= set(found)


def test_values_inside_a_role_of_several_have_who_set_them_too(dry, own_folder):
    (own_folder / "a.yaml").write_text("regularizer: [{name: r1, weight: 3}, r2]\nr2_every: 4\n")
    found = table(dry("--config a.yaml --r1-every 2 --snapshot-size 3"))
    assert found["regularizer"] == ("r1, r2", "config a.yaml")
    assert found["r1: weight"] == ("3.0", "config a.yaml")
    assert found["r1: every"] == ("2", "command line")
    assert found["r2: every"] == ("4", "config a.yaml")
    assert found["r2: weight"][1] == "default"
    assert found["save_images_as"] == ("folder", "default")
    assert found["folder: snapshot_size"] == ("3", "command line")
    assert found["folder: sample_every"] == ("10", "default")
    assert found["augment"] == ("none", "default")


def test_shapes_and_counts(dry):
    out = dry("--seed 3").out.partition("\n\n")[2]
    assert "real images  8×1×8×8 torch.uint8, labels 8" in out
    assert "noise        8×4" in out
    # fc with two layers: 4·8+8 and 8·64+64; 64·8+8 and 8·1+1
    assert "FCGenerator: 616 parameters, gives 8×1×8×8" in out
    assert "FCDiscriminator: " in out and "parameters, gives 8×1" in out


def test_shapes_are_seen_with_a_few_examples_of_a_batch(dry, monkeypatch):
    seen = []

    def forward(self, noise):
        seen.append(len(noise))
        return torch.zeros(len(noise), 1, 8, 8)

    monkeypatch.setattr(FCGenerator, "forward", forward)
    monkeypatch.setattr(shown, "show_forecast", lambda *given: None)  # it plays turns, with more of them
    assert "gives 8×1×8×8" in dry().out and max(seen) == 2


def test_nothing_is_written(dry):
    dry("--experiment x --delete")
    assert [path for path in Path().iterdir() if path.name != "cache"] == []


def test_a_run_that_exists_is_left_alone(ganzo, trained, tiny):
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    assert ganzo(f"{tiny} --experiment t --dry-run --delete").status == 0
    said = ganzo("--experiment t --restore --dry-run")
    assert said.status == 0 and table(said)["seed"] == ("5", "saved run")
    assert table(said)["folder: snapshot_size"] == ("16", "saved run")
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_an_impossible_run_is_refused(refused, tiny):
    assert "needs at least 10 images" in refused(
        f"{tiny} --dry-run --generator cgan --metrics judge --metrics-samples 1"
    )
    assert "`image_size` must be a multiple of 16" in refused(f"{tiny} --dry-run --generator good")


def test_a_schedule_that_cannot_be_is_refused(refused):
    assert refused("--config digits --dry-run --lr-schedule ramp").startswith(
        "`--lr-schedule ramp` rises over the"
    )


# --- memory and time


def told(said):
    """The lines about memory and time, by their first word."""
    block = said.out.partition("\n\nmemory ")[2]
    lines = ("memory " + block).splitlines()
    return {" ".join(line[:17].split()): line[17:].strip() for line in lines if line[:1] == " "}, lines


def time_in(said):
    return said.out.partition("\ntime ")[2].strip()


@pytest.fixture
def third(own_folder):
    (own_folder / "third.py").write_text(THIRD)
    yield "third.py:"
    sys.modules.pop("third", None)


def test_memory_by_what_it_is_for(dry):
    found, lines = told(dry("--generator-hook ema"))
    assert re.fullmatch(
        r"memory       about \d+ [KM]iB for batches of 8; [\d.]+ [KMG]iB are free .*", lines[0]
    )
    weights = 616 + 529  # 4·8+8 and 8·64+64; 64·8+8 and 8·1+1
    assert found["weights"] == f"{4 * weights / 1024:.0f} KiB"
    assert found["moving averages"] == f"{4 * 616 / 1024:.0f} KiB"
    assert found["gradients"] == found["weights"]
    assert found["optimizer"].split()[0] in (
        str(round(8 * weights / 1024)),
        str(round(8 * weights / 1024) + 1),
    )
    assert "activations" in found and "allocator" in found
    if Path("/proc/self/status").exists():
        assert found["framework"].endswith("not counted above")


def test_time_to_finish_by_two_turns(dry, monkeypatch):
    turns, seconds = [], iter([10.0, 14.0])
    plays = StandardGame.step

    def step(self, batches, noise):
        batch = next(batches)
        turns.append(len(batch))
        return plays(self, iter([batch]), noise)

    monkeypatch.setattr(StandardGame, "step", step)
    monkeypatch.setattr(forecast, "clock", lambda device: next(seconds))
    said = dry("--epochs 30")
    assert (
        time_in(said).splitlines()[0] == "about 2:00 for 30 epochs of 2 turns, at 4 images/s, 2,000 ms a turn"
    )
    assert time_in(said).splitlines()[1].strip() == forecast.ROUGH
    assert turns[-3:] == [8, 8, 8] and set(turns[:-3]) == {2, 4}


def test_max_seconds_ends_it(dry):
    assert "of 2 turns (`--max-seconds` ends them after 1:30), at " in time_in(dry("--max-seconds 90"))


def test_the_epochs_of_a_stored_run_are_behind_it(ganzo, trained):
    assert " for 4 epochs of 2 turns, " in ganzo("--experiment t --restore --dry-run --epochs 5").out
    assert " for 0 epochs of 2 turns, " in ganzo("--experiment t --restore --dry-run").out


def test_where_nobody_knows_the_length_of_an_epoch_turns_are_counted(ganzo, third):
    said = ganzo(
        f"--game standard --data-format {third}Endless --image-size 8 --image-colors 1 --batch-size 4 --dry-run"
        " --generator-layers 2 --discriminator-layers 2 --seed 1"
    )
    assert said.status == 0, said.err
    assert re.match(r"about [\d:]+ for 1,000 turns, at ", time_in(said))


@pytest.mark.parametrize(
    "free, words",
    [
        (9 << 10, "not even the smallest batch fits: lower `--image-size` or the width of the networks"),
        (90 << 10, r"about \d+ fit: `--batch-size \d+`"),
    ],
)
def test_where_memory_lacks_no_turn_is_tried(dry, monkeypatch, free, words):
    monkeypatch.setattr(forecast, "free_memory", lambda *_: Free(free, "in this test", False))
    monkeypatch.setattr(forecast, "time_of", None)
    said = dry("--batch-size 500")
    assert re.fullmatch(f"not tried, as memory lacks; {words}", time_in(said))
    assert f"; {free >> 10} KiB are free in this test" in said.out


def test_where_nobody_knows_how_batches_grow_a_smaller_one_is_advised(dry, monkeypatch, third):
    monkeypatch.setattr(forecast, "free_memory", lambda *_: Free(9, "in this test", False))
    said = dry(f"--data-format {third}OwnBatches")
    assert time_in(said) == "not tried, as memory lacks; lower `--batch-size`"


def test_where_nobody_knows_what_is_free(dry, monkeypatch):
    monkeypatch.setattr(forecast, "free_memory", lambda *_: None)
    said = dry()
    assert "for batches of 8; unknown what is free\n" in said.out and " for 1 epoch of " in time_in(said)


def test_a_game_that_knows_epochs_alone_says_nothing_of_time(dry, third):
    said = dry(f"--game {third}EpochOnly")
    assert time_in(said) == "not known: `EpochOnly` plays whole epochs"
    assert re.search(r"memory       about \d+ KiB for batches of 8", said.out)


def test_a_part_that_breaks_is_not_hidden_and_stops_nothing(dry, third):
    said = dry(f"--game {third}Breaks")
    assert "memory       not known (TypeError: something of theirs); " in said.out
    assert time_in(said) == "not known: a turn fails (TypeError: something of theirs)"


def test_what_a_turn_refuses_a_dry_run_refuses(ganzo, tiny, third):
    said = ganzo(f"{tiny} --dry-run --game {third}Instance --regularizer r1")
    assert (
        said.status == 2 and "Instance asks for no penalty, so `--regularizer` must be left out" in said.err
    )


def test_each_of_several_processes_has_its_share(dry, monkeypatch):
    monkeypatch.setattr("ganzo.nn.ranks._ranks", Ranks(0, 2, 0, 2, talks=False))
    assert "for batches of 4 in each process; " in dry().out


@pytest.mark.gpu
def test_on_a_device_its_memory_is_named(dry):
    assert "are free on cuda" in dry("--device cuda").out


def test_the_clock_goes_on():
    assert forecast.clock(torch.device("cpu")) <= forecast.clock(torch.device("cpu"))


def test_an_error_in_few_words():
    assert forecast.reason(ValueError("one\ntwo")) == "ValueError: one"
    assert forecast.reason(KeyError()) == "KeyError"
