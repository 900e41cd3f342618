"""LSUN: real LMDB files, opened once however often they are asked for, and refused where they are not whole."""

import copy
import pickle
import shutil
import sys
import threading

import numpy as np
import pytest

from formats import noise_pictures, write_lsun, write_named_set
from ganzo.data import lmdb_file
from ganzo.data.lsun import LsunSource
from ganzo.data.single_image import SingleImageData
from ganzo.data.store import pack
from ganzo.errors import DataError, OptionError
from ganzo.testing import check_component

pytest.importorskip("lmdb", reason="`pip install ganzo[data]` installs what reads LMDB")

PICTURES = noise_pictures(9, 20, 30)


@pytest.fixture
def written():
    write_lsun("in", "kitchen", PICTURES[:4])
    write_lsun("in", "bedroom", PICTURES[4:8], form="PNG")
    write_lsun("in", "bedroom", PICTURES[8:], "val", form="PNG")


def arrays(source):
    found = []
    for index in range(len(source)):
        with source.image(index) as picture:
            found.append(np.asarray(picture.convert("RGB")))
    return np.stack(found)


def test_categories_are_the_classes(written):
    source = LsunSource(data_dir="in")
    assert (
        source.class_names == ("bedroom", "kitchen")
        and source.labels == [0] * 4 + [1] * 4
        and len(source) == 8
    )
    read = arrays(source)
    assert sorted(map(bytes, read[:4])) == sorted(map(bytes, PICTURES[4:8]))  # in the order of their keys
    assert read[4:].shape == (4, 20, 30, 3)
    assert source.item_name(0) == "in/bedroom_train_lmdb[00000000]"
    assert source.item_name(4).startswith("in/kitchen_train_lmdb[")


@pytest.mark.parametrize("name", ["bedroom", "bedroom_train", "bedroom_train_lmdb", " bedroom,"])
def test_one_category_has_no_labels(written, name):
    source = LsunSource(data_dir="in", image_class=name)
    assert source.labels is None and source.class_names == () and len(source) == 4
    held = source.held_out()
    assert np.array_equal(arrays(held), PICTURES[8:]) and held.labels is None and held.held_out() is None
    both = LsunSource(data_dir="in", image_class="bedroom", dataset_part="all")
    assert len(both) == 5 and np.array_equal(arrays(both)[4:], PICTURES[8:])
    assert len({one.fingerprint() for one in (source, held, both)}) == 3


def test_what_was_chosen_already_is_not_chosen_again(written):
    source = LsunSource(data_dir="in", image_class="kitchen")
    assert source.select(["kitchen"]) is source and source.select(["kitchen_train"]) is source
    with pytest.raises(OptionError, match="has none"):
        source.select(["bedroom"])
    both = LsunSource(data_dir="in", image_class="kitchen,bedroom")
    assert both.categories == ("bedroom", "kitchen") and both.select(["kitchen", "bedroom"]) is both
    assert len(both.select(["kitchen_train"])) == 4 and both.select(["kitchen"]).labels is None
    with pytest.raises(OptionError, match="Did you mean `kitchen`"):
        both.select(["kitchn"])


def test_the_data_class_and_the_source_share_the_option(written):
    for name, classes in (("bedroom_train", 0), ("bedroom,kitchen", 2), (None, 2)):
        source = LsunSource(data_dir="in", image_class=name)
        data = SingleImageData(source, image_size=8, batch_size=4, seed=0, image_class=name)
        assert data.classes == classes and data.next().image.shape == (4, 3, 8, 8)


def test_the_validation_part_is_asked_for_as_a_part(written):
    assert len(LsunSource(data_dir="in", image_class="bedroom_val", dataset_part="test")) == 1
    assert LsunSource(data_dir="in", dataset_part="test").labels is None  # of bedrooms alone
    with pytest.raises(OptionError, match=r"`bedroom`, and choose `--dataset-part test`\."):
        LsunSource(data_dir="in", image_class="bedroom_val")
    with pytest.raises(OptionError, match="must name categories"):
        LsunSource(data_dir="in", image_class=",")


def test_a_folder_is_opened_once_for_all(written):
    one, two = LsunSource(data_dir="in"), LsunSource(data_dir="in")
    assert one.fingerprint() == two.fingerprint() and np.array_equal(arrays(one), arrays(two))
    for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert np.array_equal(arrays(one), arrays(twin))
    shutil.copytree("in", "in/lsun", ignore=lambda *names: ["lsun"])
    assert LsunSource(data_dir="in/lsun").fingerprint() == one.fingerprint()


def test_the_fingerprint_follows_the_pictures(written, monkeypatch):
    prints = {LsunSource(data_dir="in", image_class="bedroom").fingerprint()}
    for category in ("bedroom", "kitchen"):
        write_lsun("other", category, PICTURES[4:8][::-1], form="PNG")
    prints.add(LsunSource(data_dir="other", image_class="bedroom").fingerprint())
    prints.add(LsunSource(data_dir="other").fingerprint())
    shutil.copytree("other", "more")
    write_lsun("more", "bedroom", PICTURES[4:6], form="PNG")  # two pictures are written over
    prints.add(LsunSource(data_dir="more", image_class="bedroom").fingerprint())
    monkeypatch.setattr(lmdb_file, "WHOLE", 2)  # as in large ones: a few pictures stand for all
    prints.add(LsunSource(data_dir="in", image_class="bedroom").fingerprint())
    prints.add(LsunSource(data_dir="other", image_class="bedroom").fingerprint())
    assert len(prints) == 6


def test_many_threads_read_at_once(written):
    source, wrong = LsunSource(data_dir="in"), []
    expected = arrays(LsunSource(data_dir="in"))

    def read():
        for _ in range(20):
            if not np.array_equal(arrays(source), expected):
                wrong.append(True)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_lies_packed_needs_no_list_of_keys(written, tmp_path, monkeypatch, capsys):
    first = pack(LsunSource(data_dir="in"), 8, 3, folder=tmp_path / "store")
    (tmp_path / "in").rename(tmp_path / "moved")
    monkeypatch.setattr(lmdb_file.Database, "keys", property(lambda database: 1 / 0))
    again = pack(LsunSource(data_dir="moved"), 8, 3, folder=tmp_path / "store")
    assert np.array_equal(first.images, again.images)


def test_listing_many_keys_says_so(written, monkeypatch, capsys):
    monkeypatch.setattr(lmdb_file, "MANY", 3)
    arrays(LsunSource(data_dir="in", image_class="kitchen"))
    assert capsys.readouterr().err == "ganzo: listing 4 pictures of in/kitchen_train_lmdb\n"


def test_a_damaged_picture_is_only_skipped():
    write_lsun("in", "tower", [*PICTURES[:3], b"no picture"])
    packed = pack(LsunSource(data_dir="in"), 8, 3)
    assert len(packed.images) == 3 and packed.bad[0].startswith("in/tower_train_lmdb[")


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda data: data[: len(data) // 2], r"has \d+ pages, and its pictures take \d+"),
        (lambda data: data[:8192], r"has 2 pages, and its pictures take \d+"),
        (lambda data: data[:100], ""),
        (lambda data: b"", ""),
        (lambda data: bytes(len(data)), "MDB_INVALID"),
        (lambda data: b"a foreign file" * 1000, "MDB_INVALID"),
    ],
)
def test_a_database_that_is_not_whole_is_named(tmp_path, spoil, why):
    path = write_lsun(tmp_path / "in", "tower", PICTURES) / "data.mdb"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(
        DataError, match=rf"`in/tower_train_lmdb` must be a whole LMDB folder.*: .*{why}.* Unpack its zip"
    ):
        LsunSource(data_dir="in")


def test_an_empty_database_and_an_empty_folder_are_named(tmp_path):
    write_lsun("in", "tower", [])
    with pytest.raises(DataError, match=r"`in/tower_train_lmdb` must .*: it holds nothing\."):
        LsunSource(data_dir="in")
    (tmp_path / "in" / "tower_train_lmdb" / "data.mdb").unlink()
    with pytest.raises(DataError, match=r"`in/tower_train_lmdb` must .*: there is no `data.mdb` in it"):
        LsunSource(data_dir="in")


def test_a_replaced_file_is_opened_anew(written):
    assert len(LsunSource(data_dir="in", image_class="kitchen")) == 4
    shutil.rmtree("in/kitchen_train_lmdb")
    write_lsun("in", "kitchen", PICTURES[:2])
    source = LsunSource(data_dir="in", image_class="kitchen")
    assert len(source) == 2 and len(arrays(source)) == 2


def test_what_is_missing_is_named(written, capsys):
    with pytest.raises(
        DataError, match=r"`lsun` needs the folder `<category>_train_lmdb`, .* `nowhere`\. .*yf.io/p/lsun"
    ):
        LsunSource(data_dir="nowhere")
    with pytest.raises(
        DataError, match=r"the folder `bedrom_train_lmdb`, .* in `in`\. Did you mean `bedroom`\?.*fyu/lsun"
    ):
        LsunSource(data_dir="in", image_class="bedrom")
    assert LsunSource(data_dir="in", image_class="kitchen").held_out() is None
    said = capsys.readouterr().err
    assert said.startswith("ganzo: nothing is held out from lsun-train: ") and "`kitchen_val_lmdb`" in said


def test_lmdb_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(
        OptionError, match=r'`--dataset lsun` reads LMDB, .* not installed .*"ganzo\[data\]"`\.'
    ):
        LsunSource(data_dir="in")


def test_the_contract_holds():
    write_named_set("in", "lsun")
    check_component("dataset", "lsun", data_dir="in")
