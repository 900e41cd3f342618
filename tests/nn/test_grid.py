import pytest
import torch

from ganzo.nn.grid import BACKGROUND, SMALLEST, grid

SIDE, GAP = 96, 8  # large enough to be shown as they are


def test_images_lie_in_rows_with_gaps():
    images = torch.stack([torch.full((1, SIDE, SIDE), value) for value in (-1.0, 0.0, 1.0)])
    picture = grid(images, columns=2)
    assert picture.dtype == torch.uint8 and picture.shape == (1, 2 * SIDE + 3 * GAP, 2 * SIDE + 3 * GAP)
    first, second = slice(GAP, GAP + SIDE), slice(2 * GAP + SIDE, 2 * GAP + 2 * SIDE)
    assert (picture[0, first, first] == 0).all()
    assert (picture[0, first, second] == 128).all()
    assert (picture[0, second, first] == 255).all()
    assert (picture[0, second, second] == BACKGROUND).all()  # the place that is left
    for between in (slice(0, GAP), slice(GAP + SIDE, 2 * GAP + SIDE), slice(-GAP, None)):
        assert (picture[0, between] == BACKGROUND).all() and (picture[0, :, between] == BACKGROUND).all()


@pytest.mark.parametrize(("n", "columns", "rows"), [(16, 4, 4), (10, 3, 4), (1, 1, 1)])
def test_without_columns_it_is_a_square(n, columns, rows):
    height, width = (k * (SIDE + GAP) + GAP for k in (rows, columns))
    assert grid(torch.zeros(n, 3, SIDE, SIDE)).shape == (3, height, width)


def test_small_images_are_enlarged_smoothly():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 4:] = 1.0
    picture = grid(image)
    side = -(-SMALLEST // 8) * 8
    gap = (picture.shape[1] - side) // 2
    assert picture.shape == (1, side + 2 * gap, side + 2 * gap) and gap >= 2
    row = picture[0, side // 2, gap:-gap].int()
    assert row[0] < row[-1] and len(row.unique()) > 3  # no steps of whole pixels
    assert row.diff().abs().max() < (row[-1] - row[0]) / 2


def test_values_outside_are_clamped():
    images = torch.tensor([-5.0, 5.0])[:, None, None, None].expand(2, 1, SIDE, SIDE)
    picture = grid(images, columns=2)
    assert (picture[0, 50, 50], picture[0, 50, 50 + SIDE]) == (0, 255)
