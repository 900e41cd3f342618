"""What a user may get wrong: one sentence, exit status 2, before the first batch, and nothing is written.

The fixture `refused` asserts all of that; the tests here assert what the sentence says.
"""

import json
from pathlib import Path

import pytest
from PIL import Image


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("--mragin 3", "There is no option `--mragin`. Did you mean `--margin`?"),
        ("--loss hnige", "There is no loss called `hnige`: choose among "),
        ("--generator covn", "Did you mean `conv`?"),
        ("--log nowhere", "There is no statistics called `nowhere`"),
        ("--generator mine.py", "There is no file `mine.py` to take a component from."),
        ("--generator nothing.py:Mine", "There is no file `nothing.py` to take a component from."),
        ("--generator conv:lagers=3", "Did you mean `layers`?"),
        ("--config digit", "There is no recipe `digit`"),
        ("--config none.yaml", "The options file `none.yaml` cannot be read: No such file"),
        ("--from-json none.json", "The options file `none.json` cannot be read: No such file"),
        # type and range
        ("--epochs many", "`--epochs` must be a whole number of at least 0; got 'many'."),
        ("--epochs 1.5", "`--epochs` must be a whole number"),
        ("--epochs -1", "`--epochs` must be a whole number of at least 0"),
        ("--batch-size 0", "`--batch-size` must be a whole number of at least 1; got '0'."),
        ("--lr 0", "-lr` must be a number above 0; got '0'."),
        ("--lr nan", "-lr` must be a number above 0; got 'nan'."),
        ("--lr inf", "-lr` must be a number above 0; got 'inf'."),
        ("--beta1 1.5", "-beta1` must be a number from 0 to 1; got '1.5'."),
        ("--image-colors 2", "`--image-colors` must be one of 1, 3; got '2'."),
        ("--precision fp8", "`--precision` must be one of auto, fp32, bf16, fp16; got 'fp8'."),
        ("--seed 99999999999999999999999", "`--seed` must be a whole number from 0"),
        ("--seed -1", "`--seed` must be a whole number from 0"),
        (
            "--image-size 0",
            "`--image-size` must be a whole number of at least 1, for a square, or WxH as in 96x64;",
        ),
        ("--image-size -5", "or WxH as in 96x64; got '-5'."),
        ("--image-size 64x", "or WxH as in 96x64; got '64x'."),
        ("--image-size x64", "or WxH as in 96x64; got 'x64'."),
        ("--image-size 64x0", "or WxH as in 96x64; got '64x0'."),
        ("--image-size axb", "or WxH as in 96x64; got 'axb'."),
        ("--image-size 64X48", "or WxH as in 96x64; got '64X48'."),
        ("--image-size 64x48x3", "or WxH as in 96x64; got '64x48x3'."),
        ("--image-size 64.5", "or WxH as in 96x64; got '64.5'."),
        # combinations
        ("--log none,file", "`--log none` must stand alone; got none, file. Leave `none` out, or file."),
        ("--log console,none,file", "Leave `none` out, or console, file."),
        ("--log none", "`--log none` must stand alone; got none, none. Give it once."),
        (
            "--log file,console,file",
            "The statistics `file` is chosen twice by `--log` with the same settings",
        ),
        ("--metrics judge,judge", "The metric `judge` is chosen twice by `--metrics`"),
        ("--generator-hook ema --generator-hook ema", "The hook `ema` is chosen twice by `--generator-hook`"),
        ("--save-images-as folder,folder", "The snapshot `folder` is chosen twice by `--save-images-as`"),
        (
            "--generator good",
            "`image_size` must be a multiple of 16 for the generator `good`; got 8. Try 16.",
        ),
        ("--discriminator good", "`image_size` must be a multiple of 16"),
        ("--generator good --image-size 60", "must be a multiple of 16"),
        ("--generator conv --image-size 12", "`image_size` must be a power of two"),
        ("--generator conv --generator-layers 9", "`layers` must be 2 for the generator `conv`"),
        (
            "--generator-layers 80",
            "`layers` must be at most 15 for the generator `fc` when `state_size` is 4",
        ),
        ("--discriminator-layers 80", "since each layer doubles the width; got 80. Try 15."),
        ("--loss ganzo.hook.ema:EMA", "it belongs to the room hook"),
        ("--loss ganzo.generator.fc:FCGenerator", "it belongs to the room generator"),
        ("--loss builtins:int", "`builtins:int` must be a class written in Python to be a loss"),
        ("--batch-size 5000", "Lower `--batch-size` to at most 1438"),
        ("--discriminator-iterations 1000", "--discriminator-iterations"),
        ("--loss wgan-gp --regularizer gradient-penalty", "The penalty `gradient-penalty` is chosen twice"),
        ("--regularizer r1,r1", "The regularizer `r1` is chosen twice"),
        ("--generator fc --generator fc", "`generator` takes one component here; got 2."),
        ("--loss gan,hinge", "`loss` takes one component here; got 2."),
        ("--loss none", "`--loss` must name a component; got 'none'."),
        ("--metrics judge --generator cgan --metrics-samples 1", "`judge` needs at least 10 images"),
        ("--evaluation-criterion judge", "needs `--metrics judge`"),
        ("--state-size 1000000000000", "There is not enough memory"),
        # places
        ("--experiment a/b", "`--experiment` must be a plain name without slashes; got `a/b`."),
        ("--experiment ..", "`--experiment` must be a plain name without slashes; got `..`."),
        ("--experiment=", "`--experiment` must be a plain name without slashes; got ``."),
        ("--experiment " + "x" * 300, "`--experiment` must be at most 200 letters long"),
        ("--restore", "There is nothing to restore in `models/"),
        ("--model-dir file.txt", "cannot be written"),
        ("--output-dir file.txt", "cannot be written"),
        ("--device cuda:99", "`--device` must name a device of this machine"),
        ("--device abacus", "`--device` must name a device of this machine"),
        ("--device meta", "`--device` must name a device of this machine"),
        ("--device mps:0", "`--device` must name a device of this machine"),
    ],
)
def test_one_sentence(refused, tiny, own_folder, words, sentence):
    (own_folder / "file.txt").write_text("no folder")
    if words.startswith("--log ") and not words.endswith(" none"):
        tiny = tiny.replace("--log none", "")
    assert sentence in refused(f"{tiny} {words}")


def test_the_same_twice_with_other_settings_is_meant(ganzo, tiny):
    tiny = tiny.replace("--log none", "--log file:log_file=one.txt,file:log_file=two.txt --experiment t")
    assert ganzo(tiny).status == 0
    assert Path("one.txt").read_text() == Path("two.txt").read_text() != ""


def folder(path, sizes=((8, 8),) * 8):
    path.mkdir()
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (30 * number, 0, 0)).save(path / f"{number}.png")


@pytest.fixture
def refused_folder(refused, tiny):
    return lambda words: refused(f"{tiny.replace('digits', 'folder')} {words}")


def test_data_that_are_not_there(refused_folder, own_folder):
    assert "there is no folder `none`" in refused_folder("--data-dir none")
    assert "there is no folder `data`" in refused_folder("")  # the default


def test_a_file_in_place_of_a_folder(refused_folder, own_folder):
    (own_folder / "file.txt").write_text("no folder")
    assert "`file.txt` is a file" in refused_folder("--data-dir file.txt")


def test_an_empty_folder(refused_folder, own_folder):
    (own_folder / "empty").mkdir()
    assert "There is no picture in `empty`" in refused_folder("--data-dir empty")


def test_a_batch_larger_than_the_data(refused_folder, own_folder):
    folder(own_folder / "few")
    sentence = refused_folder("--data-dir few --batch-size 9")
    assert "A batch of 9 needs as many pictures; got 8" in sentence


def test_one_picture(refused_folder, own_folder):
    folder(own_folder / "one", [(8, 8)])
    assert "A batch of 8 needs as many pictures; got 1" in refused_folder("--data-dir one")


@pytest.mark.parametrize("name", ["nets", "models.d", "x.toml", "options", "x.txt"])
def test_a_config_that_is_neither_a_recipe_nor_a_file_of_options(refused, tiny, own_folder, name):
    if name.endswith((".toml", ".txt", "options")):
        (own_folder / name).write_text("epochs = 3")
    else:
        (own_folder / name).mkdir()
    said = refused(f"{tiny} --config {name}")
    assert said.startswith("`--config` must name a recipe (") and "digits" in said
    what = {"x.toml": "ends in `.toml`", "x.txt": "ends in `.txt`", "options": "has no ending"}
    assert f"; `{name}` {what.get(name, 'is a folder')}. Name the file" in said


@pytest.mark.parametrize("flag", ["--config", "--from-json"])
def test_a_folder_in_place_of_a_file_of_options(refused, tiny, own_folder, flag):
    (own_folder / "o.json").mkdir()
    assert refused(f"{tiny} {flag} o.json") == "The options file `o.json` cannot be read: Is a directory."


def test_a_second_try_is_not_in_the_way_of_the_first(refused, ganzo, tiny):
    """What failed left no run behind that would have to be deleted."""
    refused(f"{tiny} --experiment t --generator good")
    refused(f"{tiny} --experiment t --metrics judge --metrics-samples 1")
    refused(f"{tiny} --experiment t --evaluation-criterion latest,generator-loss")
    assert ganzo(f"{tiny} --experiment t").status == 0


def test_a_run_that_fails_to_be_replaced_is_kept(ganzo, trained, tiny):
    before = {path: path.read_bytes() for path in trained.rglob("*.safetensors")}
    assert ganzo(f"{tiny} --experiment t --delete --generator good").status == 2
    assert before and {path: path.read_bytes() for path in trained.rglob("*.safetensors")} == before


def test_an_option_without_effect_is_a_warning(ganzo, tiny):
    said = ganzo(f"{tiny} --dry-run --margin 3")
    assert said.status == 0
    assert said.err.startswith(
        "ganzo: warning: `--margin` (command line) has no effect: it belongs to `loss hinge`,"
        " which this run does not use.\nganzo: playing a few throw-away turns, to estimate memory and time\n"
    )


@pytest.mark.parametrize("flag", ["--config", "--from-json"])
@pytest.mark.parametrize(
    "name, text, sentence",
    [
        ("o.json", "[1, 2]", "must hold one object of options and their values; got list"),
        ("o.json", "3", "got int"),
        ("o.json", '{"epochs": }', "`o.json` is not valid JSON"),
        ("o.yaml", "- a\n- b", "got list"),
        ("o.yaml", "just a text", "got str"),
        ("o.yaml", "a: [1", "`o.yaml` is not valid YAML"),
        ("o.yaml", "", "got NoneType"),
        ("o.yaml", "loss: &x [*x]", "refers to itself"),
        ("o.yaml", "mragin: 3", "There is no option `mragin`"),
        ("o.yaml", "regularizers: r1", "There is no option `regularizers`"),
        ("o.yaml", "loss: {margin: 3}", "`loss` must be a name or an object with a `name`"),
        ("o.yaml", "loss: {1: 2}", "`loss` must be a name"),
        ("o.yaml", "loss: {name: hinge, margn: 3}", "Did you mean `margin`?"),
        ("o.yaml", "loss: 3", "`loss` must be a name"),
        ("o.yaml", "loss: []", "`--loss` must name a component"),
        ("o.yaml", "metrics_every: yes", "`--metrics-every` must be a whole number"),
        ("o.yaml", "metrics_every: .nan", "`--metrics-every` must be a whole number"),
        ("o.yaml", "metrics_every: 2001-01-01", "`--metrics-every` must be a whole number"),
        ("o.yaml", "metrics_every: {a: 1}", "`--metrics-every` must be a whole number"),
        (
            "o.json",
            '{"seed": 1, "seed": 2}',
            "`o.json` must give each option once; `seed` stands twice in one object.",
        ),
        ("o.json", '{"loss": {"name": "hinge", "margin": 1, "margin": 1}}', "`margin` stands twice"),
        ("o.json", '{"image_size": 8, "image-size": 9}', "`image-size` stands twice"),
        (
            "o.yaml",
            "seed: 1\nepochs: 2\nseed: 1",
            "`seed` stands twice in one object. Leave one of them out.",
        ),
        ("o.yaml", "loss: {name: hinge, margin: 1, margin: 2}", "`margin` stands twice"),
        ("o.yaml", "image_size: 8\nimage-size: 9", "`image-size` stands twice"),
        ("o.yaml", "mragin: 3", "Did you mean `margin`?"),
        ("o.json", '{"mragin": 3}', "Did you mean `margin`?"),
        ("o.json", '{"metrics_every": "often"}', "`--metrics-every` must be a whole number"),
        ("o.json", '{"soft_labels": "perhaps"}', "`--soft-labels` must be true or false; got 'perhaps'."),
        ("o.json", '{"generator_hook": ["ema", "ema"]}', "The hook `ema` is chosen twice"),
        ("o.json", '{"lr": 1e999}', "-lr` must be a number above 0"),
        ("o.json", '{"output_dir": "a\\u0000b"}', "`--output-dir` must be a text"),
        ("o.json", '{"output_dir": "\\ud800"}', "`--output-dir` must be a text"),
    ],
)
def test_a_file_of_options_that_is_wrong(refused, tiny, own_folder, flag, name, text, sentence):
    (own_folder / name).write_text(text)
    words = f"{tiny} {flag} {name} --dry-run".replace("--lr", "")
    assert sentence in refused(words)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"generator": "nothing"})])
def test_a_run_whose_options_are_damaged(refused, trained, text):
    (trained / "options.json").write_text(text)
    refused("--restore --experiment t")


def changed_options(folder, **values):
    path = folder / "options.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_run_with_an_option_that_is_no_more(refused, ganzo, trained):
    changed_options(trained, generator_charm=3)
    said = refused("--restore --experiment t --epochs 2")
    assert said.startswith(
        "The run in `models/t` has the option `generator_charm`, which nothing here knows;"
    )
    assert "GANZO_LOAD_MODULES" in said and "environment.json" in said
    assert ganzo("sample --experiment t").status == 0  # the generator does not ask for it


@pytest.mark.parametrize(
    "command, values",
    [
        ("--restore --experiment t --epochs 2", {"generator_layers": 3}),
        ("--restore --experiment t --epochs 2", {"generator": "cgan"}),
        ("--restore --experiment t --epochs 2", {"state_size": 5}),
        ("sample --experiment t", {"generator_layers": 3}),
        ("sample --experiment t", {"generator": "cgan"}),
    ],
)
def test_a_run_whose_weights_have_another_shape(refused, trained, command, values):
    changed_options(trained, **values)
    assert "models/t" in refused(command)


def test_a_merge_of_yaml_may_be_overridden(ganzo, tiny, own_folder):
    (own_folder / "o.yaml").write_text("about: {one: &one {a: 1, b: 2}, two: {<<: *one, b: 3}}\nseed: 1\n")
    assert ganzo(f"{tiny} --config o.yaml --dry-run").status == 0


def test_a_class_that_cannot_play_its_role(refused, tiny):
    bare = "class Bare:\n    pass\n\n\n"
    Path("mine.py").write_text(bare + "class Deaf:\n    def __init__(self, critic):\n        pass\n")
    said = refused(f"{tiny} --experiment mine --generator mine.py:Bare")
    assert said.startswith("A generator must offer to, parameters; `Bare` lacks")
    said = refused(f"{tiny} --experiment mine --loss mine.py:Deaf")
    assert "`Deaf` lacks for_generator, for_discriminator" in said
