import pytest

from ganzo.errors import OptionError
from ganzo.nn.side import (
    base_sides,
    channels_per_side,
    check_halvings,
    layers_for,
    sides,
    size_of,
    start_of,
)


@pytest.mark.parametrize(("size", "both"), [(64, (64, 64)), ("96x64", (64, 96)), ("8x10", (10, 8))])
def test_people_write_the_width_first(size, both):
    assert sides(size) == both
    assert size_of(*both) == size


@pytest.mark.parametrize(
    ("size", "layers", "start"),
    [(8, 2, (4, 4)), (64, 5, (4, 4)), ("64x32", 4, (4, 8)), ("96x64", 5, (4, 6)), ("8x10", 2, (5, 4))],
)
def test_layers_that_double_a_start_make_the_image(size, layers, start):
    assert layers_for(size, None, "it") == layers_for(size, layers, "it") == layers
    assert start_of(size) == start
    assert tuple(side << (layers - 1) for side in start) == sides(size)


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (28, r"`image_size` must be a power of two, 8 or more, for it; got 28\. Try 32\."),
        (1, r"must be a power of two, 8 or more, for it; got 1\. Try 8\."),
        ("100x64", r"must have a power of two, 8 or more, as its smaller side, .*got 100x64\. Try 96x64\."),
        ("64x100", r"got 64x100\. Try 64x96\."),
        ("64x48", r"got 64x48\. Try 64\."),
        ("5x4", r"got 5x4\. Try 8\."),
    ],
)
def test_a_size_that_does_not_fit_is_refused(size, sentence):
    with pytest.raises(OptionError, match=sentence):
        layers_for(size, None, "it")


def test_the_right_number_of_layers_is_that_of_the_smaller_side():
    with pytest.raises(OptionError, match=r"`layers` must be 5 .*`image_size` is 96x64.*got 6\. Try 5"):
        layers_for("96x64", 6, "it")


@pytest.mark.parametrize("least", [8, 32])
def test_what_is_offered_fits(least):
    for width in range(1, 140, 3):
        for height in range(1, 140, 3):
            size = size_of(height, width)
            try:
                layers_for(size, None, "it", least)
            except OptionError as error:
                offered = str(error).rpartition("Try ")[2].rstrip(".")
                layers_for(int(offered) if offered.isdigit() else offered, None, "it", least)


def test_base_sides_are_what_remains():
    assert base_sides(48, "it") == (3, 3)
    assert base_sides("96x32", "it") == (2, 6)
    with pytest.raises(OptionError, match=r"`image_size` must be a multiple of 16 for it; got 60\. Try 64\."):
        base_sides(60, "it")
    with pytest.raises(
        OptionError, match=r"Each side of .* must be a multiple of 16 .*got 60x5\. Try 64x16\."
    ):
        base_sides("60x5", "it")


def test_halvings_are_one_more_than_layers():
    check_halvings("96x32", 4, "it")
    with pytest.raises(
        OptionError, match=r"multiple of 64 .*`layers` is 5; got 96x32\. Try 128x64, or `layers` 4"
    ):
        check_halvings("96x32", 5, "it")


def test_channels_follow_the_smaller_side():
    assert channels_per_side("64x32", 16, 64, "it") == channels_per_side(32, 16, 64, "it") == [16, 32, 64, 64]
