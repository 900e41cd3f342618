import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzo.errors import OptionError
from ganzo.nn.grid import SMALLEST
from ganzo.sample import classes_of, write_new
from pairs import TRANSLATES, pair_pictures
from small import pictures as make_pictures

SAMPLES = Path("output/t/samples")


def pictures():
    return sorted(path.name for path in SAMPLES.glob("sample_*.png"))


def test_num_samples_grids_are_written_and_none_is_overwritten(ganzo, trained):
    said = ganzo("sample --experiment t --num-samples 2")
    assert said.status == 0
    assert said.out.splitlines() == [str(SAMPLES / f"sample_{n}.png") for n in (1, 2)]
    before = {name: (SAMPLES / name).read_bytes() for name in pictures()}
    (SAMPLES / "sample_3.png").write_text("somebody else's")
    assert ganzo("sample --experiment t").out == f"{SAMPLES / 'sample_4.png'}\n"
    assert all((SAMPLES / name).read_bytes() == content for name, content in before.items())
    assert (SAMPLES / "sample_3.png").read_text() == "somebody else's"
    assert (SAMPLES / "epoch_1.png").is_file()  # the training's own


def test_a_picture_can_be_opened(ganzo, trained):
    ganzo("sample --experiment t --snapshot-size 4")
    with Image.open(SAMPLES / "sample_1.png") as image:
        assert image.mode == "L" and min(image.size) >= 8


def test_a_seed_repeats_and_no_seed_does_not(ganzo, trained):
    for words in ("--seed 7 --num-samples 2", "--seed 7 --num-samples 2", "--seed 8", "", ""):
        assert ganzo(f"sample --experiment t {words}").status == 0
    one, two, three, four, five, six, seven = (
        (SAMPLES / f"sample_{n}.png").read_bytes() for n in range(1, 8)
    )
    assert one == three and two == four == five  # the second grid of seed 7 has the seed 8
    assert one != two and six != seven


def conditional(tiny):
    """The tiny command line with a generator that reads labels."""
    return tiny.replace("--generator-layers 2", "--generator cgan --generator-channels 2")


def test_labels_by_number_name_and_list(ganzo, tiny):
    assert ganzo(f"{conditional(tiny)} --experiment t").status == 0
    for label in ("3", "3,4", "9, 0"):
        assert ganzo("sample", "--experiment", "t", "--label", label, "--snapshot-size", "4").status == 0
    assert pictures() == ["sample_1.png", "sample_2.png", "sample_3.png"]


def test_each_column_shows_the_class_that_was_asked_for(ganzo, tiny):
    assert ganzo(f"{tiny} --conditional concat --experiment t").status == 0
    drawn = {}
    for label in ("3", "4", "3,4"):
        path = ganzo(f"sample t --label {label} --snapshot-size 4 --seed 1").out.strip()
        drawn[label] = np.asarray(Image.open(path))
    half = drawn["3"].shape[1] // 2
    assert (drawn["3"] != drawn["4"]).any(axis=0)[:half].any()
    assert (drawn["3,4"][:, :half] == drawn["3"][:, :half]).all()
    assert (drawn["3,4"][:, half:] == drawn["4"][:, half:]).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--state-size 5", "`--state-size` is as the run was trained, 4; got 5."),
        ("--image-size 16", "`--image-size` is as the run was trained, 8; got 16."),
        ("--game translate", "`--game` is as the run was trained, standard; got translate."),
        ("--snapshot-translate", "`--snapshot-translate` needs a run that translates"),
        ("--save-images-as tensorboard", "`--save-images-as` must be `folder` here"),
        ("--input-dir somewhere", "`--input-dir` needs a run that translates"),
    ],
)
def test_what_a_run_was_trained_with_stays(refused, trained, words, sentence):
    assert refused(f"sample t {words}").startswith(sentence)


def test_pictures_without_targets_are_translated_one_by_one(ganzo, refused, own_folder):
    pair_pictures(Path("pairs"))
    words = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in TRANSLATES.items())
    tiny = "--experiment t --epochs 1 --max-batches-per-epoch 2 --no-tune --threads 1 --log none --data-dir pairs"
    assert ganzo(f"{words} {tiny}").status == 0
    make_pictures(Path("mine"), count=4)
    said = ganzo("sample t --input-dir mine --seed 1")
    names = ["class0/0.png", "class0/2.png", "class1/1.png", "class1/3.png"]
    assert said.out.split() == [f"output/t/samples/translated/{name}" for name in names]
    again = ganzo("sample t --input-dir mine --seed 1").out.split()
    assert again == [f"output/t/samples/translated_2/{name}" for name in names]
    for one, other in zip(said.out.split(), again, strict=True):
        with Image.open(one) as picture:
            assert picture.size == (16, 16)
        assert Path(one).read_bytes() == Path(other).read_bytes()
    assert len({Path(path).read_bytes() for path in again}) == 4
    assert "there is no folder `nowhere`" in refused("sample t --input-dir nowhere")


@pytest.mark.parametrize(
    "label, expected",
    [(None, []), ("cat", [0]), ("dog,cat", [1, 0]), (" 1 , 0 ", [1, 0]), ("cat,cat", [0, 0]), ("01", [1])],
)
def test_which_classes_a_text_names(label, expected):
    assert classes_of(label, 2, ["cat", "dog"]) == expected


@pytest.mark.parametrize("label", ["2", "-1", "", "cat,", "²", "9" * 5000, "1.0", "DOG"])
def test_classes_that_are_not_there(label):
    with pytest.raises(OptionError, match=r"There is no class `.*`; the run knows cat, dog"):
        classes_of(label, 2, ["cat", "dog"])


def test_the_nearest_class_is_offered():
    with pytest.raises(OptionError, match=r"Did you mean `truck`\?"):
        classes_of("trukc", 2, ["cat", "truck"])
    with pytest.raises(OptionError, match="the run knows 0 to 1"):
        classes_of("2", 2, [])


def test_a_label_needs_classes(refused, ganzo, tiny, own_folder):
    (own_folder / "plain").mkdir()
    for number in range(8):
        Image.new("L", (8, 8), 30 * number).save(own_folder / "plain" / f"{number}.png")
    assert ganzo(f"{tiny.replace('digits', 'folder')} --data-dir plain --experiment t").status == 0
    assert "needs a run whose data have classes" in refused("sample --experiment t --label 1")
    assert ganzo("sample --experiment t").status == 0


def test_a_label_needs_a_generator_that_reads_it(refused, ganzo, trained):
    assert refused("sample --experiment t --label 3").startswith(
        "`--label` needs a generator that uses labels; this run's `fc` ignores them."
    )
    ganzo("sample --experiment t --snapshot-size 4")
    with Image.open(SAMPLES / "sample_1.png") as image:
        assert image.width == image.height  # no column for each class


def test_the_data_set_is_not_needed(ganzo, tiny, own_folder):
    for name in ("cats", "dogs"):
        (own_folder / "pets" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (8, 8), 60 * number).save(own_folder / "pets" / name / f"{number}.png")
    words = conditional(tiny).replace("digits", "folder")
    assert ganzo(f"{words} --data-dir pets --experiment t").status == 0
    (own_folder / "pets").rename(own_folder / "gone")
    assert ganzo("sample --experiment t --label dogs,1,cats").status == 0


def test_a_broken_option_is_refused(refused, trained):
    for words in ("--num-samples 0", "--num-samples two", "--num-samples ²", "--num-samples -3"):
        assert refused(f"sample --experiment t {words}").startswith(
            "`--num-samples` must be a whole number of at least 1"
        )
    assert "`--seed` must be a whole number of at least 0" in refused("sample --experiment t --seed x")
    assert "Did you mean `3`" in refused("sample --experiment t --label 33")
    assert "There is no option `--labels`. Did you mean `--label`?" in refused(
        "sample --experiment t --labels 3"
    )
    assert "`u` stands alone" in refused("sample t u")


def test_a_run_is_named_in_three_ways(ganzo, trained):
    for run in ("t", "models/t", "output/t"):  # its name, or the path of either of its folders
        said = ganzo(f"sample {run}")
        assert said.status == 0 and said.out.startswith("output/t/samples/sample_"), said


def test_a_path_without_a_run(refused, trained):
    Path("empty").mkdir()
    for run in ("empty", "models", "no/such", ".."):
        assert refused(f"sample {run}").startswith("There is no run in")


def test_a_run_without_a_name(refused):
    assert refused("sample", "").startswith("There is no run in")


def test_a_run_that_is_not_there(refused):
    assert refused("sample --experiment nosuch") == (
        "There is no run in `models/nosuch`; name one with `--experiment` (and `--model-dir`)."
    )
    assert "models/digits" in refused("sample")  # what a bare `ganzo train` makes
    assert "elsewhere/t" in refused("sample --experiment t --model-dir elsewhere")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "x" * 300])
def test_a_name_that_is_none(refused, name):
    assert refused(f"sample --experiment {name}").startswith("`--experiment` must be")


def test_the_environment_names_the_run(ganzo, trained, monkeypatch):
    monkeypatch.setenv("GANZO_EXPERIMENT", "t")
    assert ganzo("sample").status == 0
    monkeypatch.setenv("GANZO_MODEL_DIR", "models")
    monkeypatch.setenv("GANZO_EXPERIMENT", "u")
    assert ganzo("sample").status == 2
    assert ganzo("sample --experiment t").status == 0


def test_the_folders_may_have_moved(ganzo, trained):
    Path("models").rename("moved")
    said = ganzo("sample --experiment t --model-dir moved --output-dir fresh")
    assert said.out == "fresh/t/samples/sample_1.png\n"


@pytest.mark.parametrize("content", [b"", b"no weights", None, b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_weights_are_one_sentence(refused, trained, content):
    path = trained / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    assert "generator.safetensors" in refused("sample --experiment t")


def test_missing_weights_are_one_sentence(refused, trained):
    (trained / "generator.safetensors").unlink()
    assert "has no weights yet" in refused("sample --experiment t")


def test_weights_of_another_network_are_one_sentence(refused, trained):
    assert "`--generator` is as the run was trained, fc; got conv" in refused(
        "sample --experiment t --generator conv"
    )
    assert "do not fit this network, the first at `layers." in refused(
        "sample --experiment t --generator-layers 3"
    )


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"facts": 3}', '{"facts": {}}', '{"facts": {"classes": 3}}']
)
def test_a_damaged_environment_is_one_sentence(refused, trained, content):
    (trained / "environment.json").write_text(content)
    assert "`models/t/environment.json` is missing or damaged" in refused("sample --experiment t")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"generator": {"a": 1}}', '{"loss": "lsos"}'])
def test_damaged_options_are_one_sentence(refused, trained, content):
    (trained / "options.json").write_text(content)
    refused("sample --experiment t")
    refused("--restore --experiment t")


def test_the_best_weights_are_taken_unless_the_criterion_is_latest(ganzo, tiny):
    assert ganzo(f"{tiny} --experiment t --seed 5 --evaluation-criterion generator-loss").status == 0
    best, newest = Path("models/t/best/generator.safetensors"), Path("models/t/generator.safetensors")
    assert best.is_file()
    from safetensors.torch import load_file, save_file

    save_file({key: torch.zeros_like(value) for key, value in load_file(best).items()}, best)

    def shades():
        ganzo("sample --experiment t --seed 1 --snapshot-size 1")
        with Image.open(SAMPLES / pictures()[-1]) as image:
            return image.getextrema()

    assert shades()[0] >= 127  # weights of zero give a plain grey beside the white gap
    options = json.loads(Path("models/t/options.json").read_text())
    Path("models/t/options.json").write_text(json.dumps({**options, "evaluation_criterion": "latest"}))
    assert newest.is_file() and shades()[0] < 127


def test_a_picture_is_written_under_the_next_free_name(tmp_path):
    for expected in ("sample_1.png", "sample_2.png"):
        assert write_new(tmp_path, torch.zeros(3, 4, 4, dtype=torch.uint8)).name == expected
    with Image.open(tmp_path / "sample_1.png") as image:
        assert image.mode == "RGB" and image.size == (4, 4)


@pytest.fixture
def translated(ganzo, own_folder):
    """A run called `t` that turns the pictures in `shoes` into others; returns the start of its command line."""
    pair_pictures(own_folder / "shoes", count=7)
    words = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in TRANSLATES.items())
    words += " --data-dir shoes --loss pix2pix --epochs 1 --no-tune --threads 1 --log none --seed 3 --sample-every 9"
    assert ganzo(f"{words} --experiment t").status == 0
    return words


def cells(name):
    """The images of a picture of one triple in each row: generated, input and target, and so on."""
    with Image.open(SAMPLES / name) as picture:
        pixels = np.asarray(picture)
    gap = max(2, SMALLEST // 12)
    places = range(gap, pixels.shape[0] - gap, SMALLEST + gap)
    across = range(gap, pixels.shape[1] - gap, SMALLEST + gap)
    return [[pixels[y : y + SMALLEST, x : x + SMALLEST] for x in across] for y in places]


def test_a_translation_is_shown_beside_its_input_and_target(ganzo, translated):
    said = ganzo("sample --experiment t --snapshot-size 2 --num-samples 5 --seed 1")
    assert said.status == 0, said.err
    assert pictures() == [f"sample_{n}.png" for n in range(1, 6)]
    rows = [row for name in pictures() for row in cells(name)]
    assert len(rows) == 10 and all(len(row) == 3 for row in rows)
    for _, start, target in rows:
        assert np.abs(start.astype(int) + target - 255).max() <= 1
    starts = [start.tobytes() for _, start, _ in rows]
    assert len(set(starts)) == 7 and starts[7:] == starts[:3]  # on through the data, and round
    assert rows[0][0].tobytes() != rows[7][0].tobytes()  # the same input, with other dropout


def test_a_seed_repeats_a_translation(ganzo, translated):
    for words in ("--seed 7", "--seed 7", "--seed 8", "", ""):
        assert ganzo(f"sample --experiment t {words}").status == 0
    one, two, three, four, five = ((SAMPLES / name).read_bytes() for name in pictures())
    assert one == two and len({two, three, four, five}) == 4


def test_a_translation_may_be_sampled_from_other_data(ganzo, translated, own_folder):
    pair_pictures(own_folder / "boots", count=2)  # fewer than a batch
    (own_folder / "shoes").rename(own_folder / "gone")
    assert ganzo("sample --experiment t --data-dir boots --snapshot-size 2").status == 0
    assert (
        ganzo("sample --experiment t --data-dir gone --no-snapshot-translate --snapshot-size 4").status == 0
    )
    with Image.open(SAMPLES / "sample_2.png") as picture:
        assert picture.width == picture.height


def test_a_translation_whose_data_are_gone_is_one_sentence(refused, translated, own_folder):
    (own_folder / "shoes").rename(own_folder / "gone")
    assert refused("sample --experiment t") == (
        "This run starts from images, so its data must be there: `--data-dir` must be a folder with pictures; there is"
        " no folder `shoes`. Say where they are with `--data-dir`."
    )


def test_a_label_needs_a_run_from_noise(refused, translated):
    assert refused("sample --experiment t --label 1") == (
        "`--label` needs a run that starts from noise; this one translates, so leave it out."
    )
