"""Packing: once, whole or not at all, damaged pictures by name, two at once, full and read-only disks."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganzo.data import progress, store
from ganzo.data.folder import FolderSource
from ganzo.data.store import cache_folder, pack
from ganzo.errors import DataError


def write_pictures(folder, count=6, classes=2):
    for i in range(count):
        place = folder / f"class{i % classes}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("L", (5, 5), i).save(place / f"{i}.png")


@pytest.fixture
def source(tmp_path):
    write_pictures(tmp_path / "in")
    return FolderSource(data_dir="in")


def stores(folder):
    return sorted(path.suffix for path in folder.glob("*"))


def test_pictures_and_labels_are_packed_in_order(source):
    packed = pack(source, 3, 1, folder=cache_folder())
    assert packed.images.shape == (6, 1, 3, 3) and packed.images.dtype == torch.uint8
    assert packed.images[:, 0, 0, 0].tolist() == [0, 2, 4, 1, 3, 5]
    assert packed.labels.tolist() == [0, 0, 0, 1, 1, 1] and packed.labels.dtype == torch.int64
    assert packed.bad == [] and stores(cache_folder()) == [".packed"]


@pytest.mark.parametrize("workers", [0, 1, 3, None])
def test_any_number_of_threads_packs_the_same(source, workers):
    assert torch.equal(pack(source, 3, 3, workers=workers).images, pack(source, 3, 3, workers=0).images)


def test_in_memory_and_in_a_file_are_the_same(source):
    stored, held = pack(source, 4, 3, folder=cache_folder()), pack(source, 4, 3)
    assert torch.equal(stored.images, held.images) and torch.equal(stored.labels, held.labels)
    assert stored.content == held.content and stored.bad == held.bad
    source.in_memory = True
    pack(source, 5, 3, folder=cache_folder())
    assert stores(cache_folder()) == [".packed"]


def test_the_second_time_nothing_is_decoded(source, monkeypatch):
    first = pack(source, 3, 1, folder=cache_folder())
    monkeypatch.setattr(store, "decode", None)
    second = pack(FolderSource(data_dir="in"), 3, 1, folder=cache_folder())
    assert torch.equal(first.images, second.images) and torch.equal(first.labels, second.labels)
    assert first.content == second.content
    with pytest.raises(TypeError):  # another size is another store
        pack(source, 4, 1, folder=cache_folder())


@pytest.mark.parametrize(
    "other", [{"size": "3x4"}, {"size": "4x3"}, {"resize": "pad"}, {"resize": "crop"}, {"colors": 3}]
)
def test_size_colours_and_resizing_make_another_store(source, monkeypatch, other):
    kind = {"size": 3, "colors": 1, "folder": cache_folder()}
    first = pack(source, **kind)
    packed = pack(source, **kind | other)
    sides = {"3x4": (4, 3), "4x3": (3, 4)}.get(other.get("size"), (3, 3))
    assert packed.images.shape == (6, other.get("colors", 1), *sides) and len(stores(cache_folder())) == 2
    monkeypatch.setattr(store, "decode", None)
    assert torch.equal(pack(source, **kind).images, first.images)
    assert torch.equal(pack(source, **kind | {"size": "3x3"}).images, first.images)
    assert torch.equal(pack(source, **kind | other).images, packed.images)


def test_pairs_lie_one_after_the_other_as_channels(source):
    class Twice(FolderSource):
        pictures_each = 2

        def pictures(self, index):
            return [self.image(index), Image.new("L", (5, 5), 200)]

    for folder in (None, cache_folder()):
        packed = pack(Twice(data_dir="in"), "4x3", 3, folder=folder)
        assert packed.images.shape == (6, 6, 3, 4) and (packed.images[:, 3:] == 200).all()
        assert packed.images[:, 0, 0, 0].tolist() == [0, 2, 4, 1, 3, 5]


def test_what_does_not_fit_into_memory_is_refused(source, monkeypatch):
    monkeypatch.setattr(store, "memory", lambda: 100)
    with pytest.raises(
        DataError, match=r"6 pictures of 8×4 pixels take 0\.0 GB, .* a smaller `--image-size`"
    ):
        pack(source, "8x4", 1)


def test_a_changed_picture_is_decoded_anew(source, tmp_path):
    before = pack(source, 3, 1, folder=cache_folder())
    Image.new("L", (5, 5), 99).save(tmp_path / "in" / "class0" / "0.png")
    after = pack(FolderSource(data_dir="in"), 3, 1, folder=cache_folder())
    assert after.images[0, 0, 0, 0] == 99 and before.images[0, 0, 0, 0] == 0
    assert before.content != after.content


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[1:],
        lambda data: data[:40],
        lambda data: b"",
        lambda data: b"a foreign file that is longer than the trailer of a store of ours is" * 9,
        lambda data: data[:-100] + b"\0" + data[-99:],
    ],
)
def test_a_store_that_is_not_whole_is_packed_anew(source, spoil, capsys):
    whole = pack(source, 3, 1, folder=cache_folder()).images.clone()
    [path] = cache_folder().glob("*.packed")
    path.write_bytes(spoil(path.read_bytes()))
    assert torch.equal(pack(source, 3, 1, folder=cache_folder()).images, whole)
    assert f"ganzo: the packed store {path} is damaged; packing the pictures anew" in capsys.readouterr().err
    assert stores(cache_folder()) == [".packed"]


def test_two_processes_pack_at_once(source, tmp_path):
    code = (
        "import sys\nfrom ganzo.data.folder import FolderSource\nfrom ganzo.data.store import cache_folder, pack\n"
        "source = FolderSource(data_dir='in')\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        "print(pack(source, 16, 3, folder=cache_folder(), workers=1).images.sum().item())"
    )
    write_pictures(tmp_path / "in", count=60)
    both = [subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    sums = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sums == [f"{sum(range(60)) * 3 * 16 * 16}\n"] * 2
    assert stores(cache_folder()) == [".packed"]


def test_damaged_pictures_are_named_skipped_and_counted(source, tmp_path, capsys):
    bad = tmp_path / "in" / "class0" / "2.png"
    bad.write_bytes(bad.read_bytes()[:50])
    source = FolderSource(data_dir="in")
    packed = pack(source, 3, 1, folder=cache_folder())
    assert packed.images[:, 0, 0, 0].tolist() == [0, 4, 1, 3, 5] and packed.labels.tolist() == [0, 0, 1, 1, 1]
    assert len(packed.bad) == 1 and packed.bad[0].startswith("in/class0/2.png (")
    assert capsys.readouterr().err.startswith("ganzo: skipped damaged picture in/class0/2.png (")
    again = pack(source, 3, 1, folder=cache_folder())
    assert again.bad == packed.bad and torch.equal(again.images, packed.images)
    assert (
        "damaged pictures of in that are left out: 1; the first is in/class0/2.png ("
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("kind", ["text", "empty", "truncated jpeg", "bomb", "dangling", "float"])
def test_whatever_is_wrong_with_a_picture_it_is_only_skipped(source, tmp_path, kind, monkeypatch):
    path = tmp_path / "in" / "class1" / {"truncated jpeg": "x.jpg", "float": "x.tif"}.get(kind, "x.png")
    if kind == "truncated jpeg":
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "bomb":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # 5×5 passes, 15×15 is more than twice the limit
        Image.new("L", (15, 15)).save(path)
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "float":
        Image.new("F", (4, 4)).save(path)
    else:
        path.write_text("no picture" if kind == "text" else "")
    packed = pack(FolderSource(data_dir="in"), 3, 3, folder=cache_folder())
    assert len(packed.images) == 6 and len(packed.bad) == 1 and path.name in packed.bad[0]


@pytest.mark.parametrize("folder", [None, "stores"])
def test_too_many_damaged_pictures_are_refused(source, tmp_path, folder):
    for name in ("class0/0.png", "class1/1.png"):
        (tmp_path / "in" / name).write_text("no picture")
    source, folder = FolderSource(data_dir="in"), folder and tmp_path / folder
    with pytest.raises(
        DataError, match=r"At most 1 of the 6 pictures in `in` .* found 2 .*`--max-bad-fraction`"
    ):
        pack(source, 3, 1, folder=folder)
    assert folder is None or stores(folder) == []
    assert len(pack(source, 3, 1, folder=folder, max_bad_fraction=0.4).images) == 4
    with pytest.raises(DataError, match="At most 1 of the 6"):  # also when they are packed already
        pack(source, 3, 1, folder=folder)


def test_no_good_picture_at_all_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_text("no picture")
    with pytest.raises(DataError, match=r"No picture of `in` can be decoded, the first of 2 is in/a.png \("):
        pack(FolderSource(data_dir="in"), 3, 1, max_bad_fraction=1.0)


def test_a_full_disk_leaves_nothing_half_written(source, tmpfs, monkeypatch):
    disk = tmpfs()
    message = rf"cannot be stored in `{disk}`: .*; choose another folder with `--cache-dir`"
    with pytest.raises(DataError, match=message.replace(".*", r"0.5 MB are needed and 0.1 MB are free")):
        pack(source, 160, 3, folder=disk)
    usage = shutil.disk_usage(disk)
    # another one fills it meanwhile
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=10**9))
    with pytest.raises(DataError, match=message.replace(".*", "No space left on device")):
        pack(source, 160, 3, folder=disk)
    assert list(disk.iterdir()) == []
    assert len(pack(source, 16, 3, folder=disk).images) == 6


def test_a_read_only_disk_is_named(source, tmpfs):
    disk = tmpfs("ro")
    with pytest.raises(DataError, match=rf"`{disk}/ganzo`: Read-only file system; .*`--cache-dir`"):
        pack(source, 8, 3, folder=disk / "ganzo")
    with pytest.raises(DataError, match=rf"`{disk}`: Read-only file system; .*`--cache-dir`"):
        pack(source, 8, 3, folder=disk)


def test_a_cache_folder_that_is_a_file_is_named(source, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(DataError, match=r"cannot be stored in `.*taken`: File exists"):
        pack(source, 8, 3, folder=tmp_path / "taken")


def test_left_over_temporary_files_are_removed(source, tmp_path, monkeypatch):
    cache_folder().mkdir()
    (cache_folder() / "killed.tmp").touch()
    pack(source, 3, 1, folder=cache_folder())
    assert stores(cache_folder()) == [".packed", ".tmp"]  # it may be another process's, that still writes
    monkeypatch.setattr(store, "STALE", -1.0)
    pack(source, 4, 1, folder=cache_folder())
    assert stores(cache_folder()) == [".packed", ".packed"]


def test_where_the_cache_lies(monkeypatch, tmp_path):
    assert cache_folder("here").name == "here"
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("GANZO_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "ganzo"


def test_packing_that_takes_long_says_so(source, monkeypatch, capsys):
    pack(source, 3, 1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    pack(source, 3, 1)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "ganzo: packing 6 pictures of in; the next run finds them packed"
    assert said[1].startswith("ganzo: packed 6 pictures in 0 s (")


def test_a_terminal_sees_a_bar(source, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("ganzo.data.progress.SHOWN", 1)
    assert len(pack(source, 3, 1).images) == 6
    assert "packing in" in capsys.readouterr().err


def test_threads_stop_when_packing_fails(source):
    asked = []

    def one(index):
        asked.append(index)
        return index

    ahead = store.in_order(one, 10_000, 2)
    assert [next(ahead) for _ in range(40)] == list(range(40))
    ahead.close()
    assert len(asked) < 10_000 and list(store.in_order(one, 33, 2)) == list(range(33))


@pytest.mark.parametrize("side, mapped", [(4, True), (3, False)])
def test_labels_are_mapped_as_pixels_are_where_they_lie_so_that_they_can_be(source, side, mapped):
    packed = pack(source, side, 1, folder=cache_folder())
    behind = packed.images.data_ptr() + packed.images.numel()
    assert packed.labels.tolist() == [0, 0, 0, 1, 1, 1] and (packed.labels.data_ptr() == behind) == mapped
    assert packed.images.shape == (6, 1, side, side)
