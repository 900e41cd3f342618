from pathlib import Path

import pytest

from ganzo.options import saveable


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
