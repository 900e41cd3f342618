"""Pairs in one picture and in two folders: which half is which, names that match, and what is refused."""

from argparse import Namespace

import numpy as np
import pytest
import torch
from PIL import Image

from ganzo.data import Data
from ganzo.data.digits import DigitsSource
from ganzo.data.folder import FolderSource
from ganzo.data.pair_of_images import PairOfImagesData
from ganzo.data.pairs import FoldersSource, HalvesSource
from ganzo.errors import DataError, OptionError


def save(path, *colors, stacked=False, size=(6, 6), **named):
    """A picture of as many parts as there are colours, side by side or one above the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [np.full((size[1], size[0], 3), color, np.uint8) for color in colors]
    Image.fromarray(np.concatenate(parts, axis=0 if stacked else 1)).save(path, **named)


def halves(folder, count=4, **named):
    for number in range(count):
        save(folder / f"{number}.png", number, 100 + number, **named)


def folders(tmp_path, names, others):
    for folder, files, start in (("A", names, 0), ("B", others, 100)):
        for number, name in enumerate(files):
            save(tmp_path / folder / name, start + number)


def pairs(data_dir="in", **options):
    """Data in the order of their inputs."""
    kind = {"image_size": 4, "batch_size": 1, "seed": 0} | options
    return PairOfImagesData(FolderSource(data_dir=data_dir), **kind)


def seen(data):
    """Values of input and target, by input."""
    image, target = data.examples.image, data.examples.target
    assert image.shape == target.shape and data.next().target.shape == (1, *image.shape[1:])
    return sorted((int(i[0, 0, 0]), int(t[0, 0, 0])) for i, t in zip(image, target, strict=True))


@pytest.mark.parametrize("split", ["horizontal", "vertical"])
def test_two_halves(tmp_path, split):
    halves(tmp_path / "in", stacked=split == "vertical")
    data = pairs(split=split)
    assert seen(data) == [(i, 100 + i) for i in range(4)]
    assert seen(pairs(split=split, swap_pair=True)) == [(100 + i, i) for i in range(4)]
    assert (data.image_size, data.image_colors, data.input_colors, data.pairs) == (4, 3, 3, True)
    assert data.classes == 0 and data.class_names == () and data.held_out() is None
    batch = data.next()
    image, target = batch
    assert batch.label is None and torch.equal(target, image + 100) and image.dtype == torch.uint8


def test_an_odd_line_in_the_middle_is_left_out(tmp_path):
    values = np.array([[10, 10, 99, 20, 20]] * 4, np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(values).save(tmp_path / "in" / "1.png")
    assert seen(pairs(split="horizontal", image_colors=1)) == [(10, 20)]
    Image.fromarray(values.T.copy()).save(tmp_path / "in" / "1.png")
    assert seen(pairs(split="vertical", image_colors=1)) == [(10, 20)]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_halves_of_any_mode(tmp_path, mode):
    (tmp_path / "in").mkdir()
    picture = np.zeros((4, 8), np.uint8)
    picture[:, 4:] = 255
    if mode == "I;16":
        Image.fromarray(picture.astype(np.uint16) * 257).save(tmp_path / "in" / "1.png")
    else:
        Image.fromarray(picture).convert(mode).save(tmp_path / "in" / "1.tif")
    assert seen(pairs(split="horizontal")) == [(0, 255)]


def test_a_picture_is_turned_before_it_is_cut(tmp_path):
    (tmp_path / "in").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter: what is stored below comes to lie on the left
    picture = np.full((64, 32), 200, np.uint8)
    picture[32:, :16] = 10
    picture[32:, 16:] = 60
    Image.fromarray(picture).save(tmp_path / "in" / "1.jpg", quality=100, exif=exif)
    image = pairs(split="horizontal", image_size=2, image_colors=1).examples
    assert (image.image[0, 0, 0] < 20).all() and (image.image[0, 0, 1] > 50).all()  # and not turned twice
    assert (image.target > 190).all()


def test_halves_have_the_size_that_is_asked_for(tmp_path):
    halves(tmp_path / "in", size=(10, 6))
    data = pairs(split="horizontal", image_size="10x6", resize="crop")
    assert data.image_size == "10x6" and data.next().target.shape == (1, 3, 6, 10)
    padded = pairs(split="horizontal", image_size=10, resize="pad").examples.target
    assert not padded[:, :, :2].any() and not padded[:, :, -2:].any() and padded[:, :, 2:-2].all()


def test_two_folders(tmp_path):
    folders(tmp_path, ["a.png", "x/b.png", "x/c.bmp"], ["a.bmp", "x/b.png", "x/c.png"])
    data = pairs("A", target_dir="B")
    assert seen(data) == [(0, 100), (1, 101), (2, 102)] and data.name == "A and B"
    assert seen(pairs("A", target_dir="B", swap_pair=True)) == [(100, 0), (101, 1), (102, 2)]
    assert data.classes == 0 and data.held_out() is None


def test_names_that_differ_by_their_ending_alone(tmp_path):
    folders(tmp_path, ["a.bmp", "a.png", "b.png"], ["a.bmp", "a.png", "b.bmp"])
    assert seen(pairs("A", target_dir="B")) == [(0, 100), (1, 101), (2, 102)]
    save(tmp_path / "B" / "b.png", 9)
    with pytest.raises(DataError, match=r"without the other one are 1 of `B` \(b\.bmp\)\."):
        pairs("A", target_dir="B")


def test_names_without_a_counterpart_are_listed(tmp_path):
    folders(tmp_path, [f"{i:02}.png" for i in range(30)], ["28.png", "29.png", "z.png"])
    message = (
        r"without the other one are 28 of `A` \(00, 01, .*, 19, …\) and 1 of `B` \(z\)\. Give `--data-dir`"
    )
    with pytest.raises(DataError, match=message):
        pairs("A", target_dir="B")


def test_the_folder_of_targets_is_named_when_it_is_wrong(tmp_path):
    folders(tmp_path, ["a.png"], [])
    with pytest.raises(
        DataError, match=r"`--target-dir` must be a folder with pictures; there is no folder `B`"
    ):
        pairs("A", target_dir="B")
    (tmp_path / "B").mkdir()
    with pytest.raises(DataError, match=r"no picture in `B`: .*; give another folder with `--target-dir`"):
        pairs("A", target_dir="B")


def test_formats_count_for_both_folders(tmp_path):
    folders(tmp_path, ["a.png", "b.png"], ["a.png", "b.png", "c.bmp"])
    source = FolderSource(data_dir="A", formats=["png"])
    assert len(PairOfImagesData(source, target_dir="B", image_size=4, batch_size=1)) == 2


def test_the_first_picture_of_a_pair_stands_for_it(tmp_path):
    halves(tmp_path / "in")
    folders(tmp_path, ["a.png", "b.png"], ["a.png", "b.png"])
    for swap, first, second in ((False, 1, 101), (True, 101, 1)):
        cut = HalvesSource(FolderSource(data_dir="in"), "horizontal", swap)
        both = FoldersSource(FolderSource(data_dir="A"), FolderSource(data_dir="B"), swap)
        for source in (cut, both):
            pictures = [source.image(1), *source.pictures(1)]
            assert [p.getpixel((0, 0))[0] for p in pictures] == [first, first, second]
            for picture in pictures:
                picture.close()


@pytest.mark.parametrize("given, got", [({}, "neither"), ({"split": "vertical", "target_dir": "B"}, "both")])
def test_one_way_must_be_chosen(tmp_path, given, got):
    halves(tmp_path / "in")
    with pytest.raises(
        OptionError, match=rf"`--split horizontal` .*`--target-dir`\); got {got}\. Give one of them"
    ):
        pairs(**given)


def test_a_folder_of_targets_needs_a_folder_of_inputs():
    with pytest.raises(OptionError, match=r"`--target-dir` needs .* `--dataset folder`; got `digits-train`"):
        PairOfImagesData(DigitsSource(), target_dir="B", image_size=4)


@pytest.mark.parametrize("way", ["split", "folders"])
def test_a_pair_that_is_damaged_in_one_half_is_skipped_whole(tmp_path, way, capsys):
    if way == "split":
        halves(tmp_path / "in")
        (tmp_path / "in" / "1.png").write_text("no picture")
        data, name = pairs(split="horizontal"), "in/1.png ("
    else:
        folders(tmp_path, [f"{i}.png" for i in range(4)], [f"{i}.png" for i in range(4)])
        (tmp_path / "B" / "1.png").write_text("no picture")
        data, name = pairs("A", target_dir="B"), "A/1.png with B/1.png ("
    assert seen(data) == [(0, 100), (2, 102), (3, 103)] and data.bad[0].startswith(name)
    assert f"skipped damaged picture {name}" in capsys.readouterr().err


def test_too_many_damaged_pairs_are_refused(tmp_path):
    folders(tmp_path, [f"{i}.png" for i in range(4)], [f"{i}.png" for i in range(4)])
    (tmp_path / "B" / "1.png").write_text("no picture")
    (tmp_path / "A" / "2.png").write_text("no picture")
    with pytest.raises(DataError, match=r"At most 1 of the 4 pictures in `A and B` may be damaged; found 2"):
        pairs("A", target_dir="B")
    assert len(pairs("A", target_dir="B", max_bad_fraction=0.5)) == 2


def test_a_picture_that_is_too_narrow_is_damaged(tmp_path):
    halves(tmp_path / "in")
    Image.new("L", (1, 8)).save(tmp_path / "in" / "0.png")
    assert "1×8 pixels cannot be cut in two" in pairs(split="horizontal").bad[0]


@pytest.mark.parametrize("way", ["split", "folders"])
def test_sub_folders_can_be_chosen_but_are_no_classes(tmp_path, way):
    for part, start in (("train", 0), ("val", 50)):
        for number in range(3):
            value = start + number
            save(tmp_path / "in" / part / f"{number}.png", value, 100 + value)
            save(tmp_path / "A" / part / f"{number}.png", value)
            save(tmp_path / "B" / part / f"{number}.png", 100 + value)
    given = ("in", {"split": "horizontal"}) if way == "split" else ("A", {"target_dir": "B"})
    assert len(pairs(given[0], **given[1])) == 6
    data = pairs(given[0], image_class="val", **given[1])
    assert seen(data) == [(50, 150), (51, 151), (52, 152)] and data.classes == 0
    both = pairs(given[0], image_class="val,train", **given[1])
    assert len(both) == 6 and both.classes == 0 and both.next().label is None
    assert len(pairs(given[0], subset=4, image_class="train,val", **given[1])) == 4
    with pytest.raises(OptionError, match="which are train, val; got `test`"):
        pairs(given[0], image_class="test", **given[1])


@pytest.mark.parametrize("way", ["split", "folders"])
def test_other_sub_folders_are_classes(tmp_path, way):
    for name, start in (("boots", 0), ("shoes", 50)):
        for number in range(2):
            value = start + number
            save(tmp_path / "in" / name / f"{number}.png", value, 100 + value)
            save(tmp_path / "A" / name / f"{number}.png", value)
            save(tmp_path / "B" / name / f"{number}.png", 100 + value)
    given = ("in", {"split": "horizontal"}) if way == "split" else ("A", {"target_dir": "B"})
    data = pairs(given[0], **given[1])
    assert data.class_names == ("boots", "shoes")
    labelled = {
        int(i[0, 0, 0]): int(n) for i, n in zip(data.examples.image, data.examples.label, strict=True)
    }
    assert labelled == {0: 0, 1: 0, 50: 1, 51: 1}
    assert pairs(given[0], image_class="shoes", **given[1]).classes == 0


def test_both_are_changed_alike(tmp_path):
    rows = np.arange(18, dtype=np.uint8)[:, None] + np.arange(18, dtype=np.uint8) * 5
    (tmp_path / "in").mkdir()
    Image.fromarray(np.concatenate([rows, rows + 100], axis=1)).save(tmp_path / "in" / "1.png")
    kind = {
        "split": "horizontal",
        "image_size": 16,
        "image_colors": 1,
        "random_flip": True,
        "random_crop": True,
    }
    data, found = pairs(**kind), set()
    for _ in range(40):
        batch = data.next()
        assert batch.image.shape == (1, 1, 16, 16) and torch.equal(batch.image + 100, batch.target)
        found.add(tuple(batch.image.flatten().tolist()))
        data.reset()
    assert len(found) > 12
    middle = data.reference().next()
    assert torch.equal(middle.image[0, 0], torch.from_numpy(rows[1:17, 1:17]))
    assert torch.equal(middle.target, middle.image + 100)


def test_a_state_of_other_pairs_is_refused(tmp_path):
    halves(tmp_path / "in")
    one, swapped = pairs(split="horizontal"), pairs(split="horizontal", swap_pair=True)
    assert one.fingerprint() != swapped.fingerprint()
    with pytest.raises(DataError, match="have changed since"):
        swapped.load_state_dict(one.state_dict())
    one.next()
    again = pairs(split="horizontal", seed=5)
    again.load_state_dict(one.state_dict())
    assert torch.equal(one.next().target, again.next().target)


def test_in_memory_and_in_a_file_are_the_same(tmp_path):
    data = PairOfImagesData(DigitsSource(), split="vertical", image_size=8, image_colors=1, batch_size=50)
    held = data.held_out()
    assert (len(data), len(held), held.classes, held.pairs) == (1438, 359, 10, True)
    source = DigitsSource()
    source.in_memory = False
    stored = PairOfImagesData(source, split="vertical", image_size=8, image_colors=1, batch_size=50)
    assert stored.fingerprint() == data.fingerprint()
    assert torch.equal(stored.examples.target, data.examples.target)


def test_options_build_the_same(tmp_path):
    folders(tmp_path, ["a.png", "b.png"], ["a.png", "b.png"])
    options = Namespace(
        data_format="pair-of-images",
        data_dir="A",
        target_dir="B",
        image_size=4,
        image_colors=1,
        batch_size=2,
        seed=3,
    )
    built, data = Data.from_options(options), pairs("A", target_dir="B", image_colors=1, batch_size=2, seed=3)
    assert isinstance(built, PairOfImagesData) and torch.equal(built.next().target, data.next().target)


def test_a_batch_larger_than_the_pairs_is_refused(tmp_path):
    halves(tmp_path / "in")
    with pytest.raises(DataError, match="A batch of 5 needs as many pictures; got 4 in `in`"):
        pairs(split="horizontal", batch_size=5)
