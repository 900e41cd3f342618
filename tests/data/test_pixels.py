"""Bringing pictures to a size: both sides stretched, the middle cut out, or the whole over black; never turned."""

import numpy as np
import pytest
from PIL import Image

from ganzo.data.pixels import pixels


def ramp(width, height, wide=True):
    """A picture that grows brighter to the right, or downwards."""
    count = width if wide else height
    values = np.linspace(0, 255, count).round().astype(np.uint8)
    return Image.fromarray(np.tile(values, (height, 1)) if wide else np.tile(values[:, None], (1, width)))


def flat(width, height, value=200):
    return Image.new("L", (width, height), value)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size, shape", [(6, (6, 6)), ("6x6", (6, 6)), ("12x4", (4, 12)), ("4x12", (12, 4))])
def test_every_way_gives_the_asked_shape(resize, size, shape):
    for picture in (flat(30, 20), flat(1, 9), flat(9, 1), flat(*shape[::-1]), ramp(7, 5)):
        assert pixels(picture, size, 1, resize).shape == (1, *shape)
        assert pixels(picture, size, 3, resize).dtype == np.uint8


def test_stretching_uses_the_whole_picture():
    found = pixels(ramp(64, 16), "8x8", 1, "stretch")[0].astype(int)
    assert found[0, 0] < 30 and found[0, -1] > 225 and (np.diff(found, axis=1) > 0).all()


def test_cropping_keeps_the_middle():
    picture = np.zeros((16, 64), np.uint8)
    picture[:, 24:40] = 255  # the square in the middle
    assert (pixels(Image.fromarray(picture), 16, 1, "crop") == 255).all()
    assert (pixels(Image.fromarray(picture.T.copy()), 16, 1, "crop") == 255).all()
    found = pixels(ramp(64, 16), 16, 1, "crop")[0].astype(int)
    assert abs(found[0, 0] - 255 * 24 / 63) <= 2 and abs(found[0, -1] - 255 * 39 / 63) <= 2


def test_cropping_enlarges_until_it_covers():
    assert (pixels(flat(4, 2), 8, 1, "crop") == 200).all()
    assert (pixels(flat(5, 7), "12x8", 1, "crop") == 200).all()


def test_padding_keeps_everything_over_black():
    found = pixels(flat(64, 16), 16, 1, "pad")[0]
    assert (found[6:10] == 200).all() and not found[:6].any() and not found[10:].any()
    found = pixels(flat(2, 6), "12x6", 3, "pad")
    assert (found[:, :, 5:7] == 200).all() and found.sum() == 3 * 6 * 2 * 200
    assert (pixels(flat(100, 1), 10, 1, "pad")[0].any(1).sum()) == 1  # a line stays a line


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_shrinking_is_antialiased(resize):
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    assert np.abs(pixels(Image.fromarray(board), 16, 1, resize).astype(int) - 127.5).max() < 20


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize("size", ["8x24", "24x8"])
def test_a_jpeg_at_a_reduced_scale_looks_the_same_also_when_it_is_turned(tmp_path, resize, turned, size):
    exif = Image.Exif()
    exif[0x0112] = turned
    ramp(960, 320).save(tmp_path / "a.jpg", quality=95, exif=exif)
    upright = ramp(960, 320).transpose(Image.Transpose.ROTATE_270) if turned == 6 else ramp(960, 320)
    with Image.open(tmp_path / "a.jpg") as opened:
        found = pixels(opened, size, 1, resize).astype(int)
    assert np.abs(found - pixels(upright, size, 1, resize)).max() <= 3
