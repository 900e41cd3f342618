"""The MNIST family, read from small files of the real format, and what is said where they are missing or damaged."""

import dataclasses
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from files import digits_like, published, write_idx, write_mnist, write_mnist_family
from ganzo.data.emnist import ARCHIVE, CLASSES, EmnistSource
from ganzo.data.fashion_mnist import FashionMnistSource
from ganzo.data.idx import parse_idx, read_idx
from ganzo.data.kept import PixelSource
from ganzo.data.kmnist import KmnistSource
from ganzo.data.mnist import MnistSource
from ganzo.errors import DataError, OptionError
from ganzo.testing import check_component

FAMILY = {"mnist": MnistSource, "fashion-mnist": FashionMnistSource, "kmnist": KmnistSource}
SUB_FOLDERS = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw", "kmnist": "KMNIST/raw"}
INSIDE = [*SUB_FOLDERS.items(), *((name, ".") for name in SUB_FOLDERS)]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No test asks the world outside: what is fetched comes from a port of this machine on which nobody listens."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for cls in FAMILY.values():
        monkeypatch.setattr(cls, "url", "http://127.0.0.1:9/")
    there = dataclasses.replace(ARCHIVE, url="http://127.0.0.1:9/gzip.zip")
    monkeypatch.setattr("ganzo.data.emnist.ARCHIVE", there)


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4), (0, 28, 28)])
def test_what_is_written_is_read(tmp_path, shape, end):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    read = read_idx(write_idx(tmp_path / f"a{end}", array), len(shape))
    assert read.dtype == np.uint8 and read.shape == shape and np.array_equal(read, array)


def test_the_format_byte_by_byte():
    content = bytes.fromhex("00000803 00000001 00000002 00000003") + bytes(range(6))
    assert parse_idx(content, "a", 3).tolist() == [[[0, 1, 2], [3, 4, 5]]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it must start with the bytes 00 00 08 01, and starts with $"),
        (b"\0\0\x08\x03\0\0\0\0", "it must start with the bytes 00 00 08 01, and starts with 00 00 08 03"),
        (b"<html>", "it must start with the bytes 00 00 08 01, and starts with 3c 68 74 6d"),
        (b"\0\0\x08\x01\0\0", "it says that it holds 0 bytes, and holds 0"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "it says that it holds 5 bytes, and holds 3"),
        (b"\0\0\x08\x01\0\0\0\x02abc", "it says that it holds 2 bytes, and holds 3"),
        (b"\0\0\x08\x01\xff\xff\xff\xffabc", "it says that it holds 4294967295 bytes, and holds 3"),
        (gzip.compress(bytes(99), mtime=0)[:-9], "it cannot be unpacked \\(.+\\)"),
        (b"\x1f\x8bno gzip at all", "it cannot be unpacked \\(.+\\)"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff", "it cannot be unpacked \\(.+\\)"),
    ],
)
def test_what_is_damaged_is_named(content, why):
    Path("in.idx").write_bytes(content)
    why = f"{why[:-1]}" if why.endswith("$") else why
    with pytest.raises(
        DataError, match=f"^`in.idx` must be whole: {why}. Delete it, so that it is fetched anew.$"
    ):
        read_idx(Path("in.idx"), 1)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"must be readable; `.*` is not \(Is a directory\)"):
        read_idx(tmp_path, 1)


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(("name", "inside"), INSIDE)
def test_each_set_is_read_from_where_it_lies(name, inside, end):
    train, test = digits_like(20, 1), digits_like(10, 2)
    write_mnist(Path("in", inside), *train, end=end)
    write_mnist(Path("in", inside), *test, prefix="t10k", end=end)
    source = FAMILY[name](data_dir="in")
    assert (source.name, len(source), len(source.class_names)) == (f"{name}-train", 20, 10)
    assert source.labels == train[1].tolist() and source.item_name(3) == f"{name}-train[3]"
    with source.image(7) as picture:
        assert picture.mode == "L" and np.array_equal(picture, train[0][7])
    held = source.held_out()
    assert (held.name, len(held), held.held_out()) == (f"{name}-test", 10, None)
    whole = FAMILY[name](data_dir="in", dataset_part="all")
    assert np.array_equal(whole.values, np.concatenate([train[0], test[0]])) and whole.held_out() is None
    assert whole.labels == [*train[1], *test[1]]
    assert len({s.fingerprint() for s in (source, held, whole)}) == 3


def test_the_names_of_the_classes():
    assert MnistSource.class_names == tuple("0123456789")
    assert (
        FashionMnistSource.class_names[0] == "T-shirt/top"
        and FashionMnistSource.class_names[9] == "Ankle boot"
    )
    assert KmnistSource.class_names == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    assert {split: len(CLASSES[split]) for split in CLASSES} == {
        "byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10,
    }  # fmt: skip
    assert not set("cijklmopsuvwxyz") & set(CLASSES["balanced"])  # as large as small


@pytest.mark.parametrize("name", [*FAMILY, "emnist"])
def test_the_contract(name, tmp_path):
    check_component("dataset", name, data_dir=write_mnist_family(tmp_path / "in", name, 94))


def test_the_fingerprint_is_that_of_the_content():
    images, labels = digits_like(10)
    one = PixelSource("one", images, labels, "0123456789").fingerprint()
    assert PixelSource("two", images.copy(), labels.tolist(), "0123456789").fingerprint() == one
    other = [
        PixelSource("one", images ^ 1, labels, "0123456789"),
        PixelSource("one", images, labels[::-1], "0123456789"),
        PixelSource("one", images),
        PixelSource("one", images.reshape(10, 14, 56)),
        PixelSource("one", images.reshape(5, 28, 56)),
    ]
    assert len({one, *(source.fingerprint() for source in other)}) == 6


def test_colours_are_pictures_too():
    values = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)
    with PixelSource("coloured", values).image(1) as picture:
        assert picture.mode == "RGB" and picture.size == (5, 4) and np.array_equal(picture, values[1])


def test_pictures_and_labels_must_fit():
    images, labels = digits_like(10)
    with pytest.raises(DataError, match="must hold pictures; `set` holds none"):
        PixelSource("set", images[:0])
    with pytest.raises(DataError, match="`set` needs one label; there are 10 pictures and 9 labels"):
        PixelSource("set", images, labels[1:], "0123456789")
    with pytest.raises(DataError, match="The labels of `set` must lie from 0 to 7; they lie from 0 to 9"):
        PixelSource("set", images, labels, "01234567")
    write_mnist("in", images, labels[:7])
    with pytest.raises(
        DataError, match=r"`in/train-.*` holds 10 pictures, and the file of labels beside it 7"
    ):
        MnistSource(data_dir="in")
    write_mnist("in", images, labels)
    write_mnist("in", images[:, :14], labels, prefix="t10k")
    with pytest.raises(
        DataError, match=r"`mnist` must be of one size; its parts have 14×28 and 28×28. Choose one"
    ):
        MnistSource(data_dir="in", dataset_part="all")


def test_what_is_missing_is_fetched(monkeypatch, capsys):
    write_mnist("there", *digits_like(20, 1))
    write_mnist("there", *digits_like(10, 2), prefix="t10k")
    monkeypatch.setattr(KmnistSource, "sums", (None,) * 4)
    with published({f"/{path.name}": path.read_bytes() for path in Path("there").iterdir()}) as (url, asked):
        monkeypatch.setattr(KmnistSource, "url", url)
        source = KmnistSource(data_dir="in")
        assert len(source) == 20 and len(asked) == 2 and len(list(Path("in/KMNIST/raw").iterdir())) == 2
        assert len(source.held_out()) == 10 and len(asked) == 4
    assert len(KmnistSource(data_dir="in", dataset_part="all", download=False)) == 30


def test_without_the_test_files_nothing_is_held_out(capsys):
    write_mnist("in", *digits_like(20))
    source = MnistSource(data_dir="in")
    for _ in range(2):
        assert source.held_out() is None
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(
        "ganzo: nothing is held out from mnist-train: The data set `mnist` needs files that"
    )
    write_mnist("in", *digits_like(5), prefix="t10k")
    Path("in/t10k-images-idx3-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="must be whole"):  # damage is not passed over
        source.held_out()


def write_emnist(folder, split, classes, first=0, end=".gz"):
    """Both parts of a split, each picture with its upper right corner lit, as EMNIST stores it."""
    stored = np.zeros((2 * classes, 28, 28), np.uint8)
    stored[:, 27, 0] = 255  # transposed: the corner lies at the lower left
    for part in ("train", "test"):
        labels = np.arange(2 * classes) % classes + first
        write_mnist(folder, stored, labels, prefix=f"emnist-{split}-{part}", end=end)


@pytest.mark.parametrize("inside", [".", "EMNIST/raw", "gzip", "archive", "EMNIST/raw/archive"])
@pytest.mark.parametrize("split", CLASSES)
def test_each_split_of_emnist(split, inside):
    write_emnist(
        Path("in", inside.removesuffix("archive")), split, len(CLASSES[split]), first=split == "letters"
    )
    if inside.endswith("archive"):
        folder = Path("in", inside).parent
        with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
            for path in sorted(folder.glob("emnist-*")):
                archive.write(path, f"gzip/{path.name}")
                path.unlink()
    source = EmnistSource(data_dir="in", emnist_split=split)
    assert source.name == f"emnist-{split}-train" and source.class_names == tuple(CLASSES[split])
    assert set(source.labels) == set(range(len(CLASSES[split])))
    assert source.values[0, 0, 27] == 255 and np.count_nonzero(source.values[0]) == 1
    assert source.held_out().name == f"emnist-{split}-test"
    assert len(EmnistSource(data_dir="in", emnist_split=split, dataset_part="all")) == 4 * len(CLASSES[split])


def test_the_split_may_be_named_as_a_class():
    write_emnist("in", "letters", 26, 1)
    write_emnist("in", "balanced", 47)
    assert EmnistSource(data_dir="in").split == "balanced"
    for words in ("letters", "a,letters", " letters , z"):
        assert EmnistSource(data_dir="in", image_class=words).split == "letters"
    assert EmnistSource(data_dir="in", image_class="letters", emnist_split="letters").split == "letters"
    with pytest.raises(OptionError, match=r"One split .* name letters and digits. Name one of them"):
        EmnistSource(data_dir="in", image_class="digits,letters")
    with pytest.raises(OptionError, match="`--emnist-split` and `--image-class` name balanced and letters"):
        EmnistSource(data_dir="in", image_class="letters", emnist_split="balanced")
    source = EmnistSource(data_dir="in", image_class="letters")
    assert source.select(["letters"]) is source


def test_some_letters_are_selected():
    write_emnist("in", "letters", 26, 1)
    chosen = EmnistSource(data_dir="in", image_class="letters,b,d").select(["letters", "b", "d"])
    assert tuple(chosen.class_names) == ("b", "d") and sorted(chosen.labels) == [0, 0, 1, 1]


def test_an_archive_that_is_damaged_or_another():
    Path("in").mkdir()
    Path("in/gzip.zip").write_bytes(b"PK no archive")
    with pytest.raises(
        DataError, match=r"`in/gzip.zip` must be whole: it cannot be unpacked \(File is not a zip"
    ):
        EmnistSource(data_dir="in")
    with zipfile.ZipFile("in/gzip.zip", "w") as archive:
        archive.writestr("gzip/emnist-balanced-train-images-idx3-ubyte.gz", b"damaged")
    with pytest.raises(
        DataError, match=r"`in/gzip.zip:emnist-balanced-train-images-idx3-ubyte.gz` must be whole"
    ):
        EmnistSource(data_dir="in")
    with pytest.raises(
        DataError, match=r"must hold `emnist-letters-train-images-idx3-ubyte.gz`; `in/gzip.zip` does"
    ):
        EmnistSource(data_dir="in", emnist_split="letters")


@pytest.mark.parametrize("name", [*FAMILY, "emnist"])
def test_offline_the_command_says_what_to_do(name, refused):
    said = refused(f"train --dataset {name} --image-size 28 --image-colors 1")
    place = "EMNIST/raw" if name == "emnist" else SUB_FOLDERS[name]
    assert f"The data set `{name}` needs files that are not in `data/{place}`, and fetching `" in said
    assert "failed (Connection refused): " in said and "(md5 " in said and "`--data-dir`" in said
    assert "`--no-download` forbids" in refused(f"train --dataset {name} --no-download")


@pytest.mark.parametrize("name", [*FAMILY, "emnist"])
def test_the_command_trains_on_it(name, ganzo, tiny):
    write_mnist_family("in", name, 94)
    words = tiny.replace("digits", name).replace("--image-size 8", "--image-size 28")
    said = ganzo(f"train {words} --data-dir in --experiment a --no-download")
    assert said.status == 0, said.err
    assert Path("models/a/generator.safetensors").is_file()


@pytest.mark.parametrize("words", ["--image-class letters", "--image-class letters,b,d --dataset-part all"])
def test_the_command_takes_a_split_by_its_name(words, ganzo, tiny):
    write_emnist("in", "letters", 26, 1)
    said = ganzo(f"train {tiny.replace('digits', 'emnist')} --data-dir in --experiment a {words}")
    assert said.status == 0, said.err
    assert "warning" not in said.err
    said = ganzo(f"train {tiny.replace('digits', 'emnist')} --data-dir in --image-class letters,nothing")
    assert said.status == 2 and "must name classes of `emnist-letters-train`" in said.err
