"""Real files in many formats, folders with and without classes, and what is said when there is nothing to read."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ganzo.data.folder import FolderSource
from ganzo.data.pixels import pixels
from ganzo.data.store import pack
from ganzo.errors import DataError, OptionError


def picture(path, color=(200, 100, 50), mode="RGB", size=(12, 8), **save):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).convert(mode).save(path, **save)


def read(path, size=4, colors=3):
    source = FolderSource(data_dir=str(path.parent))
    with source.image(source.files.index(path.name)) as opened:
        return pixels(opened, size, colors)


@pytest.mark.parametrize(
    "name, mode, tolerance",
    [
        ("a.png", "RGB", 0),
        ("a.PNG", "RGBA", 0),
        ("a.png", "P", 20),
        ("a.bmp", "RGB", 0),
        ("a.gif", "P", 20),
        ("a.tiff", "RGB", 0),
        ("a.tif", "CMYK", 2),
        ("a.webp", "RGB", 8),
        ("a.jpg", "RGB", 8),
        ("a.jpeg", "CMYK", 8),
        ("a.ppm", "RGB", 0),
    ],
)
def test_every_format_gives_the_same_colours(tmp_path, name, mode, tolerance):
    picture(tmp_path / "in" / name, mode=mode)
    stored = read(tmp_path / "in" / name)
    assert stored.shape == (3, 4, 4) and stored.dtype == np.uint8
    assert np.abs(stored.mean((1, 2)) - [200, 100, 50]).max() <= tolerance


@pytest.mark.parametrize("mode, value", [("L", 124), ("LA", 124), ("RGB", 124), ("1", 255)])
def test_grey_and_colour_are_converted_to_what_is_asked(tmp_path, mode, value):
    # 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2
    color = (255, 255, 255) if mode == "1" else (200, 100, 50)
    picture(tmp_path / "in" / "a.png", color, mode)
    assert (read(tmp_path / "in" / "a.png", colors=1) == value).all()
    wide = read(tmp_path / "in" / "a.png", colors=3)
    assert wide.shape == (3, 4, 4) and (mode == "RGB" or (wide == value).all())


def test_16_bits_are_scaled_and_not_clipped(tmp_path):
    values = np.array([[0, 257 * 100], [257 * 200, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert read(tmp_path / "deep.png", 2, 1).tolist() == [[[0, 100], [200, 255]]]


@pytest.mark.parametrize("name, kind", [("a.tif", "<u2"), ("a.tif", ">u2"), ("a.png", "<u2")])
def test_16_bits_of_any_byte_order(tmp_path, name, kind):
    Image.fromarray(np.full((2, 2), 257 * 100).astype(kind)).save(tmp_path / name)
    assert (read(tmp_path / name, 2, 1) == 100).all() and (read(tmp_path / name, 2, 3) == 100).all()


def test_a_png_of_16_bits_per_colour(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">3H", 257 * 200, 257 * 100, 257 * 50) * 2
    parts = [
        (b"IHDR", struct.pack(">2I5B", 2, 2, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 2)),
        (b"IEND", b""),
    ]
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    assert read(tmp_path / "deep.png", 2)[:, 0, 0].tolist() == [200, 100, 50]


def test_a_cmyk_jpeg_that_adobe_inverted(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "red.jpg", quality=95)
    assert b"Adobe" in (tmp_path / "red.jpg").read_bytes()[:400]  # its inks are stored the other way round
    assert np.abs(read(tmp_path / "red.jpg").mean((1, 2)) - [255, 0, 0]).max() <= 4


def test_a_palette_whose_colours_are_transparent_by_degrees(tmp_path):
    picture = Image.new("P", (4, 4))
    picture.putpalette([255, 255, 255, 255, 255, 255, 200, 100, 50])
    picture.putdata([0] * 4 + [1] * 4 + [2] * 8)
    picture.save(tmp_path / "a.png", transparency=bytes([0, 128, 255]))
    stored = read(tmp_path / "a.png")
    assert stored[:, :, 0].T.tolist() == [[0] * 3, [128] * 3, [200, 100, 50], [200, 100, 50]]


def test_pictures_of_many_kinds_and_sizes_are_packed_together(tmp_path):
    for number, (mode, end) in enumerate(
        [
            ("L", "png"),
            ("1", "bmp"),
            ("LA", "png"),
            ("P", "gif"),
            ("RGB", "jpg"),
            ("RGBA", "webp"),
            ("CMYK", "tif"),
        ]
    ):
        picture(
            tmp_path / "in" / f"{number}.{end}",
            (255, 255, 255),
            mode,
            size=(5 + 40 * number, 300 // (number + 1)),
        )
    for size in (8, "12x5"):
        packed = pack(FolderSource(data_dir="in"), size, 3)
        assert len(packed.images) == 7 and packed.bad == [] and packed.images.min() >= 250


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_over_black(tmp_path, mode):
    if mode == "P":
        Image.new("P", (4, 4), 0).save(tmp_path / "clear.png", transparency=0)
    else:
        Image.new("RGBA", (4, 4), (255, 255, 255, 0)).convert(mode).save(tmp_path / "clear.png")
    assert (read(tmp_path / "clear.png") == 0).all()


def test_half_transparent_white_over_black_is_grey(tmp_path):
    Image.new("RGBA", (4, 4), (255, 255, 255, 128)).save(tmp_path / "half.png")
    assert (read(tmp_path / "half.png") == 128).all()


@pytest.mark.parametrize("orientation, white", [(1, (0, 0)), (3, (1, 1)), (6, (0, 1)), (8, (1, 0))])
def test_exif_orientation_turns_the_picture(tmp_path, orientation, white):
    corner = np.zeros((64, 64), np.uint8)
    corner[:32, :32] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(corner).save(tmp_path / "turned.jpg", quality=100, exif=exif)
    stored = read(tmp_path / "turned.jpg", 2, 1)[0]
    assert np.unravel_index(stored.argmax(), stored.shape) == white


def test_a_damaged_exif_note_does_not_lose_the_picture(tmp_path):
    picture(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    packed = pack(FolderSource(data_dir="."), 4, 3)
    assert packed.images.shape == (1, 3, 4, 4) and packed.bad == []


def test_the_first_frame_of_an_animation_counts(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (255, 0)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (read(tmp_path / "a.gif", 4, 1) == 255).all()


def test_a_large_jpeg_decoded_at_a_reduced_scale_looks_the_same(tmp_path):
    ramp = np.linspace(0, 255, 400).astype(np.uint8)[None].repeat(400, 0)
    Image.fromarray(ramp).save(tmp_path / "ramp.jpg", quality=95)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    difference = read(tmp_path / "ramp.jpg", 8, 1).astype(int) - read(tmp_path / "ramp.png", 8, 1)
    assert np.abs(difference).max() <= 2


def test_floating_point_pixels_are_refused():
    with pytest.raises(ValueError, match="no agreed range"):
        pixels(Image.new("F", (4, 4), 0.5), 4, 1)


def test_sub_folders_are_classes_in_alphabetical_order(tmp_path):
    for name in (
        "zebra/1.png",
        "ant/b/2.png",
        "ant/1.png",
        "mole/1.png",
        ".hidden/1.png",
        "ant/.1.png",
        "notes/read.txt",
    ):
        if name.endswith("txt"):
            (tmp_path / "in" / "notes").mkdir()
            (tmp_path / "in" / name).write_text("no picture")
        else:
            picture(tmp_path / "in" / name)
    source = FolderSource(data_dir=str(tmp_path / "in"))
    assert source.class_names == ("ant", "mole", "zebra")
    assert source.files == ["ant/1.png", "ant/b/2.png", "mole/1.png", "zebra/1.png"]
    assert source.labels == [0, 0, 1, 2] and len(source) == 4
    assert source.item_name(3) == str(tmp_path / "in" / "zebra" / "1.png")


@pytest.mark.parametrize(
    "names", [("1.png", "2.png"), ("all/1.png", "all/deep/2.png"), ("1.png", "a/2.png", "b/3.png")]
)
def test_without_two_class_folders_there_are_no_labels(tmp_path, names):
    for name in names:
        picture(tmp_path / "in" / name)
    source = FolderSource(data_dir=str(tmp_path / "in"))
    assert source.labels is None and source.class_names == () and len(source) == len(names)


@pytest.mark.parametrize(
    "names, said", [(("1.png", "a/2.png", "b/3.png"), 1), (("1.png",), 0), (("a/1.png",), 0)]
)
def test_classes_that_are_lost_are_said_once(tmp_path, capsys, names, said):
    for name in names:
        picture(tmp_path / "in" / name)
    for _ in range(2):
        FolderSource(data_dir="in")
    line = (
        "ganzo: there are no classes in in, since pictures lie beside its sub-folders; to have classes, put those into"
        " a sub-folder too\n"
    )
    assert capsys.readouterr().err == line * said


@pytest.mark.parametrize("formats", [["png", "bmp"], [".PNG", " bmp "]])
def test_formats_choose_among_the_files(tmp_path, formats):
    for name in ("a/1.png", "a/2.BMP", "b/3.gif"):
        picture(tmp_path / "in" / name)
    source = FolderSource(data_dir="in", formats=formats)
    assert source.files == ["a/1.png", "a/2.BMP"] and source.labels is None
    assert source.fingerprint() != FolderSource(data_dir="in").fingerprint()
    with pytest.raises(
        DataError,
        match=r"no picture in `in`: .* end in \.jpg or \.tif, and found 3 other .*`--data-dir`, or other `--formats`",
    ):
        FolderSource(data_dir="in", formats=["tif", "jpg"])


@pytest.mark.parametrize(
    "formats, message",
    [(["png", "jpgg"], r"got `jpgg`\. .*`jpg`"), (["eps"], "got `eps`"), ([""], "got ``"), ([], "``")],
)
def test_unknown_formats_are_refused(tmp_path, formats, message):
    with pytest.raises(
        OptionError, match=r"`--formats` must name endings of pictures, such as png, jpg, .*" + message
    ):
        picture(tmp_path / "in" / "1.png")
        FolderSource(data_dir="in", formats=formats)


def test_links_are_followed_but_not_in_circles(tmp_path):
    picture(tmp_path / "elsewhere" / "1.png")
    picture(tmp_path / "in" / "own" / "2.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "in" / "linked")
    os.symlink(tmp_path / "in", tmp_path / "in" / "own" / "round")
    assert FolderSource(data_dir=str(tmp_path / "in")).files == ["linked/1.png", "own/2.png"]


def test_the_fingerprint_follows_the_files(tmp_path):
    for name in ("a/1.png", "b/2.png"):
        picture(tmp_path / "in" / name)
    before = FolderSource(data_dir=str(tmp_path / "in")).fingerprint()
    assert FolderSource(data_dir="in").fingerprint() == before  # by relative names: the folder may move
    os.utime(tmp_path / "in" / "a" / "1.png", ns=(1, 1))
    assert FolderSource(data_dir="in").fingerprint() == before  # the same picture
    picture(tmp_path / "in" / "a" / "1.png", (1, 2, 3))
    changed = FolderSource(data_dir="in").fingerprint()
    (tmp_path / "in" / "b" / "2.png").rename(tmp_path / "in" / "a" / "2.png")
    assert len({before, changed, FolderSource(data_dir="in").fingerprint()}) == 3


def test_pictures_of_equal_name_size_and_time_are_told_apart(tmp_path):
    stored = {}
    for folder, color in (("one", (255, 0, 0)), ("two", (0, 0, 255))):
        path = tmp_path / folder / "1.bmp"
        picture(path, color)
        os.utime(path, ns=(1, 1))
        source = FolderSource(data_dir=folder)
        stored[source.fingerprint()] = pack(source, 4, 3, folder=tmp_path / "store").images.clone()
    assert (tmp_path / "one" / "1.bmp").stat().st_size == (tmp_path / "two" / "1.bmp").stat().st_size
    one, two = stored.values()
    assert (one[0, 0] == 255).all() and (two[0, 2] == 255).all()


def test_a_link_that_leads_nowhere_has_a_fingerprint(tmp_path):
    picture(tmp_path / "in" / "1.png")
    os.symlink(tmp_path / "gone.png", tmp_path / "in" / "2.png")
    source = FolderSource(data_dir="in")
    assert source.fingerprint() == FolderSource(data_dir="in").fingerprint()


def test_what_is_said_when_there_is_nothing_to_read(tmp_path, monkeypatch):
    with pytest.raises(
        DataError, match="`--data-dir` must be a folder with pictures; there is no folder `nowhere`"
    ):
        FolderSource(data_dir="nowhere")
    (tmp_path / "file.zip").touch()
    with pytest.raises(DataError, match=r"`--data-dir` .* `file.zip` is a file"):
        FolderSource(data_dir="file.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        DataError, match=r"no picture in `empty`: looked .* \.png, .* found 0 other files.*`--data-dir`"
    ):
        FolderSource(data_dir="empty")
    (tmp_path / "empty" / "a.txt").touch()
    with pytest.raises(DataError, match="found 1 other files"):
        FolderSource(data_dir="empty")

    def refuse(place):
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(
        DataError, match=r"`--data-dir` must be readable; `empty` is not \(Permission denied\)"
    ):
        FolderSource(data_dir="empty")
