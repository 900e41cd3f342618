"""CelebA: from the folder and from the zip, parts, attributes, and what is said where something is missing."""

import copy
import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from formats import encoded, noise_pictures, write_celeba, write_named_set
from ganzo.data.celeba import CelebASource
from ganzo.data.store import pack
from ganzo.errors import DataError, OptionError
from ganzo.testing import check_component

FACES = noise_pictures(7, 218, 178)
PARTS = [0, 0, 1, 2, 0, 2, 2]
SMILES = [True, False, True, False, True, True, False]


@pytest.fixture(params=[False, True], ids=["folder", "zip"])
def zipped(request):
    write_celeba("in/celeba", FACES, PARTS, {"Bald": [False] * 7, "Smiling": SMILES}, zipped=request.param)
    return request.param


def as_stored(face):
    with Image.open(io.BytesIO(encoded(face))) as picture:
        return np.asarray(picture)


def test_the_parts_are_those_of_the_list(zipped):
    for part, numbers in {"train": [0, 1, 4], "valid": [2], "test": [3, 5, 6], "all": range(7)}.items():
        for data_dir in ("in", "in/celeba"):
            source = CelebASource(data_dir=data_dir, dataset_part=part)
            assert len(source) == len(numbers) and source.labels is None and source.class_names == ()
        for index, number in enumerate(numbers):
            with source.image(index) as picture:
                assert picture.size == (178, 218) and np.array_equal(
                    np.asarray(picture), as_stored(FACES[number])
                )
            assert source.item_name(index).endswith(f"{number + 1:06}.jpg")


def test_an_attribute_makes_two_classes(zipped):
    source = CelebASource(data_dir="in", dataset_part="all", celeba_attribute="Smiling")
    assert source.class_names == ("not Smiling", "Smiling") and source.labels == [int(s) for s in SMILES]
    held = CelebASource(data_dir="in", celeba_attribute="Smiling").held_out()
    assert held.labels == [0, 1, 0] and held.class_names == source.class_names and held.held_out() is None
    bald = CelebASource(data_dir="in", dataset_part="all", celeba_attribute="Bald")
    plain = CelebASource(data_dir="in", dataset_part="all")
    assert len({one.fingerprint() for one in (source, held, bald, plain)}) == 4


@pytest.mark.parametrize("name, meant", [("smiling", " Did you mean `Smiling`?"), ("Zebra", " There")])
def test_an_unknown_attribute_is_refused(zipped, name, meant):
    with pytest.raises(OptionError) as said:
        CelebASource(data_dir="in", celeba_attribute=name)
    assert f"got {name!r}.{meant}" in str(said.value) and str(said.value).endswith("There are Bald, Smiling.")


def test_without_the_list_all_is_for_training(zipped, capsys):
    os.unlink("in/celeba/list_eval_partition.txt")
    source = CelebASource(data_dir="in")
    assert len(source) == 7 and source.held_out() is None
    assert (
        "nothing is held out from celeba-train: The part `test` of `celeba` is listed"
        in capsys.readouterr().err
    )
    with pytest.raises(DataError, match=r"The part `valid` .* `list_eval_partition.txt`, .* https://mmlab"):
        CelebASource(data_dir="in", dataset_part="valid")


def test_many_threads_read_at_once(zipped):
    source = CelebASource(data_dir="in", dataset_part="all")
    expected, wrong = [as_stored(face) for face in FACES], []

    def read():
        for index in [*range(7)] * 5:
            with source.image(index) as picture:
                if not np.array_equal(np.asarray(picture), expected[index]):
                    wrong.append(index)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert np.array_equal(
        pack(copy.deepcopy(source), 16, 3, workers=4).images, pack(source, 16, 3, workers=0).images
    )


def test_the_fingerprint_follows_the_pictures(tmp_path):
    prints = set()
    for name, faces in (("a", FACES), ("b", FACES[::-1])):
        for zipped in (False, True):
            write_celeba(tmp_path / f"{name}{zipped}", faces, zipped=zipped)
            prints.add(CelebASource(data_dir=f"{name}{zipped}").fingerprint())
    assert len(prints) == 4
    (tmp_path / "aFalse").rename(tmp_path / "moved")
    assert CelebASource(data_dir="moved").fingerprint() in prints


def test_a_damaged_face_is_only_skipped(zipped, tmp_path, capsys):
    path = Path("in/celeba/img_align_celeba" + (".zip" if zipped else "/000002.jpg"))
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        content[:middle] + bytes(2000) + content[middle + 2000 :] if zipped else content[:middle]
    )
    packed = pack(CelebASource(data_dir="in", dataset_part="all"), 16, 3)
    assert len(packed.images) == 6 and len(packed.bad) == 1


def test_a_zip_that_is_none_is_named(tmp_path):
    (tmp_path / "img_align_celeba.zip").write_text("<html>sign in</html>")
    with pytest.raises(
        DataError, match=r"`img_align_celeba.zip` must be a whole zip archive: .* Fetch it anew from"
    ):
        CelebASource(data_dir=".")


def test_a_replaced_zip_is_opened_anew(tmp_path):
    write_celeba("in", FACES[:2], zipped=True)
    before = CelebASource(data_dir="in").fingerprint()
    (tmp_path / "in" / "img_align_celeba.zip").unlink()
    write_celeba("other", FACES, zipped=True)
    os.replace("other/img_align_celeba.zip", "in/img_align_celeba.zip")
    source = CelebASource(data_dir="in")
    assert len(source) == 7 and source.fingerprint() != before


def test_faces_without_a_line_are_named(tmp_path):
    write_celeba("in", FACES, attributes={"Bald": [True] * 7})
    lists = tmp_path / "in" / "list_attr_celeba.txt"
    lists.write_text("".join(lists.read_text().splitlines(keepends=True)[:-2]))
    with pytest.raises(
        DataError, match=r"a line of 1 values for each face; 2 have none, the first is 000006\.jpg"
    ):
        CelebASource(data_dir="in", celeba_attribute="Bald")
    lists.write_text("")
    with pytest.raises(OptionError, match=r"must be an attribute that .* names; got 'Bald'"):
        CelebASource(data_dir="in", celeba_attribute="Bald")
    lists.unlink()
    with pytest.raises(
        DataError, match=r"`--celeba-attribute` needs `list_attr_celeba.txt`, .* none in `in`"
    ):
        CelebASource(data_dir="in", celeba_attribute="Bald")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(
        DataError, match=r"`celeba` needs `img_align_celeba`.* `img_align_celeba.zip`, .* in `in`\. .*list_"
    ):
        CelebASource(data_dir="in")
    (tmp_path / "in" / "img_align_celeba").mkdir(parents=True)
    with pytest.raises(DataError, match="the part `train` of `celeba` holds none in `in`"):
        CelebASource(data_dir="in")


def test_the_contract_holds():
    write_named_set("in", "celeba")
    check_component("dataset", "celeba", data_dir="in")
