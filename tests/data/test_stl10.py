"""STL-10: its binary files, mapped or unpacked from the archive."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from formats import into_tar, noise_pictures, write_named_set, write_stl10
from ganzo.data import stl10
from ganzo.data.single_image import SingleImageData
from ganzo.data.stl10 import Stl10Source
from ganzo.errors import DataError
from ganzo.testing import check_component

PICTURES, LABELS = noise_pictures(12, 96, 96), np.arange(12) % 10


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """What is fetched comes from a port of this machine on which nobody listens."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    there = dataclasses.replace(stl10.ARCHIVE, url="http://127.0.0.1:9/a.tar.gz")
    monkeypatch.setattr(stl10, "ARCHIVE", there)


@pytest.fixture
def written():
    write_stl10("in", PICTURES[:4], LABELS[:4], class_names=[f"class{n}" for n in range(10)])
    write_stl10("in", PICTURES[4:8], LABELS[4:8], "test")
    return write_stl10("in", PICTURES[8:], None, "unlabeled")


@pytest.mark.parametrize("kind", ["folder", "itself", "archive"])
def test_every_pixel_comes_back_upright(written, kind):
    data_dir = str(written) if kind == "itself" else "in"
    if kind == "archive":
        into_tar(written, "stl10_binary.tar.gz")
    parts = ("train", "test", "unlabeled", "all")
    train, test, free, both = (Stl10Source(data_dir=data_dir, dataset_part=part) for part in parts)
    assert np.array_equal(train.values, PICTURES[:4]) and train.labels == [0, 1, 2, 3]
    assert np.array_equal(both.values, PICTURES[:8]) and both.labels == list(range(8))
    assert np.array_equal(free.values, PICTURES[8:]) and free.labels is None and free.class_names == ()
    assert train.class_names[1] == "class1"
    with free.image(1) as picture:
        assert picture.mode == "RGB" and np.array_equal(np.asarray(picture), PICTURES[9])
    assert len({source.fingerprint() for source in (train, test, free, both)}) == 4
    assert train.held_out().fingerprint() == test.fingerprint()
    assert free.held_out() is None and both.held_out() is None


def test_of_an_archive_only_what_is_needed_is_unpacked_once(written, capsys):
    path = into_tar(written, "stl10_binary.tar.gz")
    Stl10Source(data_dir="in")
    assert sorted(os.listdir(written)) == ["class_names.txt", "train_X.bin", "train_y.bin"]
    assert (
        "ganzo: unpacking train_X.bin, train_y.bin of in/stl10_binary.tar.gz into" in capsys.readouterr().err
    )
    path.write_bytes(b"")
    assert len(Stl10Source(data_dir="in")) == 4


def test_pixels_are_mapped_and_the_classes_known(written):
    (written / "class_names.txt").unlink()
    source = Stl10Source(data_dir="in")
    assert isinstance(source.values, np.memmap) and source.class_names[8:] == ("ship", "truck")
    data = SingleImageData(source, image_size=96, batch_size=4, seed=0)
    image, label = data.next()
    for one, number in zip(image.numpy(), label.tolist(), strict=True):
        assert np.array_equal(one.transpose(1, 2, 0), PICTURES[number])


def test_a_file_that_is_not_whole_is_named(written):
    path = written / "train_X.bin"
    for content in (path.read_bytes()[:-1], b""):
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=rf"`{path}` .* {len(content)} bytes must be a multiple of the 27648"
        ):
            Stl10Source(data_dir="in")
    (written / "test_y.bin").write_bytes(b"\1\2")
    with pytest.raises(DataError, match="needs one label; there are 4 pictures and 2 labels"):
        Stl10Source(data_dir="in", dataset_part="test")
    (written / "test_y.bin").write_bytes(b"\1\2\3\0")
    with pytest.raises(DataError, match="must lie from 0 to 9; they lie from -1 to 2"):
        Stl10Source(data_dir="in", dataset_part="test")


def test_an_archive_that_is_not_whole_is_named(written, capsys):
    (written / "test_y.bin").unlink()
    path = into_tar(written, "stl10_binary.tar.gz")
    with pytest.raises(DataError, match=r"stl10_binary.tar.gz` .* must hold `test_y.bin`\. Delete it"):
        Stl10Source(data_dir="in", dataset_part="test")
    shutil.rmtree(written)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"stl10_binary.tar.gz` .* must be a whole archive"):
        Stl10Source(data_dir="in")
    assert [name for name in os.listdir(written) if name.endswith((".tmp", "X.bin"))] == []


def test_a_folder_that_cannot_be_written_is_named(written):
    into_tar(written, "stl10_binary.tar.gz")
    written.write_text("in the way")
    with pytest.raises(
        DataError, match=r"cannot be unpacked into `in/stl10_binary`: .* Unpack it yourself, and name"
    ):
        Stl10Source(data_dir="in")


def test_what_is_missing_is_named(written, capsys):
    (written / "test_y.bin").unlink()
    with pytest.raises(
        DataError, match=r"`stl10` needs .* `in`, and fetching `stl10_binary.tar.gz` failed .*md5 91f77"
    ):
        Stl10Source(data_dir="in", dataset_part="test")
    assert Stl10Source(data_dir="in", download=False).held_out() is None
    assert "nothing is held out from stl10-train: " in capsys.readouterr().err


def test_the_contract_holds():
    write_named_set("in", "stl10")
    check_component("dataset", "stl10", data_dir="in")
