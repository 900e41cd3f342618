"""CIFAR-10 and CIFAR-100: from the folder and from the archive, and no pickle that does more than hold arrays."""

import dataclasses
import os
import pickle

import numpy as np
import pytest

from formats import (
    into_tar,
    noise_pictures,
    rows_of,
    write_cifar10,
    write_cifar100,
    write_named_set,
    write_pickle,
)
from ganzo.data.cifar10 import Cifar10Source
from ganzo.data.cifar100 import Cifar100Source
from ganzo.data.single_image import SingleImageData
from ganzo.errors import DataError
from ganzo.testing import check_component

TRAIN, TEST = noise_pictures(20, 32, 32, 1), noise_pictures(10, 32, 32, 2)
LABELS = np.arange(20) % 10


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """What is fetched comes from a port of this machine on which nobody listens."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for cls in (Cifar10Source, Cifar100Source):
        monkeypatch.setattr(
            cls, "archive", dataclasses.replace(cls.archive, url="http://127.0.0.1:9/a.tar.gz")
        )


@pytest.fixture
def written(tmp_path):
    write_cifar10(tmp_path / "in", TRAIN, LABELS, class_names=[f"class {n}" for n in range(10)])
    return write_cifar10(tmp_path / "in", TEST, LABELS[:10], "test")


@pytest.mark.parametrize("kind", ["folder", "itself", "archive"])
def test_every_pixel_comes_back(written, kind):
    where = {"data_dir": str(written) if kind == "itself" else "in"}
    if kind == "archive":
        into_tar(written, "cifar-10-python.tar.gz")
    train, test, both = (Cifar10Source(dataset_part=part, **where) for part in ("train", "test", "all"))
    assert np.array_equal(train.values, TRAIN) and train.labels == LABELS.tolist()
    assert np.array_equal(test.values, TEST) and test.labels == LABELS[:10].tolist()
    assert np.array_equal(both.values, np.concatenate([TRAIN, TEST])) and len(both.labels) == 30
    assert train.class_names == tuple(f"class {n}" for n in range(10)) and train.name == "cifar10-train"
    with train.image(3) as picture:
        assert picture.mode == "RGB" and np.array_equal(np.asarray(picture), TRAIN[3])
    assert len({source.fingerprint() for source in (train, test, both)}) == 3
    assert np.array_equal(train.held_out().values, TEST)
    assert test.held_out() is None and both.held_out() is None
    assert os.listdir("in") == (["cifar-10-python.tar.gz"] if kind == "archive" else ["cifar-10-batches-py"])


def test_without_its_list_of_names_the_ten_classes_are_known(written):
    (written / "batches.meta").unlink()
    assert Cifar10Source(data_dir="in").class_names[2:4] == ("bird", "cat")


def test_fine_and_coarse_labels(tmp_path):
    write_cifar100("in", TRAIN, np.arange(20) * 5, np.arange(20))
    write_cifar100("in", TEST, np.arange(10), np.arange(10) + 1, "test")
    fine, coarse = Cifar100Source(data_dir="in"), Cifar100Source(data_dir="in", cifar100_labels="coarse")
    assert (fine.labels[3], len(fine.class_names), fine.class_names[15]) == (15, 100, "fine15")
    assert (coarse.labels[3], len(coarse.class_names), coarse.class_names[3]) == (3, 20, "coarse3")
    assert coarse.held_out().labels[0] == 1 and fine.held_out().labels[0] == 0
    assert fine.fingerprint() != coarse.fingerprint()
    into_tar(tmp_path / "in" / "cifar-100-python", "cifar-100-python.tar.gz")
    assert Cifar100Source(data_dir="in").fingerprint() == fine.fingerprint()


class Harm:
    """Unpickled in the ordinary way, it makes a file."""

    def __init__(self, function, *arguments):
        self.told = function, arguments

    def __reduce__(self):
        return self.told


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize(
    "harm", [Harm(os.system, "touch harmed"), Harm(eval, "__import__('pathlib').Path('harmed').touch()")]
)
def test_a_pickle_that_would_run_code_runs_nothing(written, harm, protocol):
    content = pickle.dumps({b"data": harm, b"labels": [0]}, protocol=protocol)
    pickle.loads(content)
    assert os.path.exists("harmed")  # what the file would do to a reader who trusts it
    os.unlink("harmed")
    (written / "data_batch_2").write_bytes(content)
    with pytest.raises(
        DataError, match=r"`data_batch_2` is no sound file of CIFAR, .* asks for `\w+\.\w+`, which"
    ):
        Cifar10Source(data_dir="in")
    assert not os.path.exists("harmed")


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "Ran out of input"),
        (b"\x80\x04 no pickle", "must be a pickled dictionary"),
        (pickle.dumps([1, 2]), "must be a pickled dictionary"),
        ({b"labels": [0]}, "its `data` must be N×3072 of uint8, and is None"),
        ({b"data": np.zeros((2, 3072)), b"labels": [0, 0]}, "and is 2×3072 of float64"),
        ({b"data": np.zeros((2, 9), np.uint8), b"labels": [0, 0]}, "and is 2×9 of uint8"),
        ({b"data": rows_of(TEST), b"labels": [0]}, "its `labels` must be a list of 10 whole numbers"),
        ({b"data": rows_of(TEST), b"labels": [b"a"] * 10}, "its `labels` must be a list of 10 whole numbers"),
        ({b"data": rows_of(TEST)}, "its `labels` must be a list of 10 whole numbers"),
        ({b"data": rows_of(TEST), b"labels": [10] * 10}, "labels of `cifar10-test` must lie from 0 to 9"),
    ],
)
def test_what_is_not_a_sound_file_is_named(written, content, why):
    if isinstance(content, dict):
        write_pickle(written / "test_batch", content)
    else:
        (written / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=why) as said:
        Cifar10Source(data_dir="in", dataset_part="test")
    assert "so that" in str(said.value)


def test_an_archive_that_is_not_whole_is_named(written):
    (written / "data_batch_3").unlink()
    path = into_tar(written, "cifar-10-python.tar.gz")
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz` .* must hold `data_batch_3`\. Delete it"):
        Cifar10Source(data_dir="in")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"cifar-10-python.tar.gz` .* must be a whole archive"):
        Cifar10Source(data_dir="in")


def test_files_that_cannot_be_read_are_named(written, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"`in/cifar-10-batches-py` .* must be readable: Permission denied\."):
        Cifar10Source(data_dir="in")


@pytest.mark.parametrize(
    "name", ["numpy\nload", "numpy.core.multiarray\nscalar", "builtins\ngetattr", "copyreg\n_reconstructor"]
)
def test_a_pickle_gets_nothing_but_arrays(written, name):
    (written / "test_batch").write_bytes(b"\x80\2c" + name.encode() + b"\n.")
    with pytest.raises(DataError, match=f"it asks for `{name.replace(chr(10), '.')}`, which"):
        Cifar10Source(data_dir="in", dataset_part="test")


def test_what_is_missing_is_named():
    with pytest.raises(
        DataError, match=r"`cifar10` needs .* `in`, and fetching `cifar-10-python.tar.gz` failed"
    ):
        Cifar10Source(data_dir="in")
    with pytest.raises(
        DataError, match=r"`cifar100` needs .* `--no-download` .*md5 eb9058c3a382ffc7106e4002c42a8d85"
    ):
        Cifar100Source(data_dir="in", download=False)


def test_without_the_test_part_nothing_is_held_out(written, capsys):
    (written / "test_batch").unlink()
    assert Cifar10Source(data_dir="in", download=False).held_out() is None
    assert capsys.readouterr().err.startswith("ganzo: nothing is held out from cifar10-train: The data set")


def test_cifar_as_data(written):
    data = SingleImageData(Cifar10Source(data_dir="in"), image_size=32, batch_size=4, seed=0)
    image, label = data.next()
    order = [
        np.abs(TRAIN.transpose(0, 3, 1, 2).astype(int) - one).sum((1, 2, 3)).argmin() for one in image.numpy()
    ]
    assert label.tolist() == LABELS[order].tolist() and data.classes == 10 and data.held_out().classes == 10


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_contract_holds(name):
    write_named_set("in", name)
    check_component("dataset", name, data_dir="in")
