"""SVHN: real MATLAB files, and what is said where they are missing, damaged, or SciPy is."""

import sys

import numpy as np
import pytest

from formats import noise_pictures, write_named_set, write_svhn
from ganzo.data import svhn
from ganzo.data.svhn import SvhnSource
from ganzo.errors import DataError, OptionError
from ganzo.testing import check_component

pytest.importorskip("scipy", reason="`pip install ganzo[data]` installs what reads MATLAB files")

PICTURES, DIGITS = noise_pictures(12, 32, 32), np.arange(12) % 10


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """What is fetched comes from a port of this machine on which nobody listens."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(svhn, "URL", "http://127.0.0.1:9/")


@pytest.mark.parametrize("folder", ["in", "in/svhn"])
def test_every_pixel_comes_back_and_ten_is_zero(folder):
    for start, part in ((0, "train"), (4, "test"), (8, "extra")):
        write_svhn(folder, PICTURES[start : start + 4], DIGITS[start : start + 4], part)
    train, test, extra, both = (
        SvhnSource(data_dir="in", dataset_part=p) for p in ("train", "test", "extra", "all")
    )
    assert np.array_equal(train.values, PICTURES[:4]) and train.labels == [0, 1, 2, 3]
    assert np.array_equal(extra.values, PICTURES[8:]) and extra.labels == [8, 9, 0, 1]
    assert np.array_equal(both.values, PICTURES[:8]) and train.class_names == tuple("0123456789")
    with train.image(2) as picture:
        assert np.array_equal(np.asarray(picture), PICTURES[2])
    assert train.held_out().fingerprint() == test.fingerprint() != train.fingerprint()
    assert extra.held_out() is None and both.held_out() is None


def test_without_the_test_part_nothing_is_held_out(capsys):
    write_svhn("in", PICTURES, DIGITS)
    assert SvhnSource(data_dir="in", download=False).held_out() is None
    assert "nothing is held out from svhn-train: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "values, why",
    [
        (
            {"X": np.zeros((4, 32, 32, 3), np.uint8), "y": np.ones((4, 1))},
            "`X` must be 32×32×3×N of uint8, and is 4×32",
        ),
        (
            {"X": np.zeros((32, 32, 3, 4)), "y": np.ones((4, 1))},
            "`X` must be .*, and is 32×32×3×4 of float64",
        ),
        ({"y": np.ones((4, 1))}, "`X` must be 32×32×3×N of uint8, and is 0 of"),
        ({"X": np.zeros((32, 32, 3, 4), np.uint8)}, "`y` must be 4 whole numbers, and is 0 of"),
        (
            {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones((3, 1), int)},
            "`y` must be 4 whole numbers, and is 3×1",
        ),
        (
            {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.zeros((4, 1), int)},
            "from 1 to 10, and lies from 0 to 0",
        ),
        (b"no MATLAB file", "it cannot be read"),
        (b"", "it cannot be read"),
    ],
)
def test_what_is_not_a_sound_file_is_named(tmp_path, values, why):
    from scipy.io import savemat

    path = tmp_path / "train_32x32.mat"
    path.write_bytes(values) if isinstance(values, bytes) else savemat(path, values)
    with pytest.raises(DataError, match=rf"train_32x32.mat` is no sound file of SVHN, .*{why}.*\. Delete it"):
        SvhnSource(data_dir=".")


def test_what_is_missing_is_named():
    with pytest.raises(
        DataError, match=r"`svhn` needs .* fetching `extra_32x32.mat` failed .*md5 a93ce644f1a588dc4d"
    ):
        SvhnSource(data_dir="in", dataset_part="extra")


def test_scipy_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(
        OptionError, match=r'`--dataset svhn` reads .* not installed .*`pip install "ganzo\[data\]"`\.'
    ):
        SvhnSource(data_dir="in")


def test_the_contract_holds():
    write_named_set("in", "svhn")
    check_component("dataset", "svhn", data_dir="in")
