from argparse import Namespace

import pytest
import torch

from ganzo.discriminator.patch_gan import PatchGANDiscriminator
from ganzo.errors import OptionError

FIELDS = [16, 70, 94, 286]


@pytest.mark.parametrize("field", FIELDS)
def test_a_logit_sees_just_the_square_that_the_option_says(field):
    side = 2 * field + 64 - 2 * field % 32  # so that a middle logit sees no edge
    net = PatchGANDiscriminator(receptive_field=field, channels=2, image_size=side, image_colors=1)
    net = net.double().eval()  # the statistics of a batch norm in training mode reach everywhere
    images = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    logits = net(images)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = images.grad[0, 0] != 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == (field, field)
    assert 0 < rows[0] and rows[-1] < side - 1
    assert seen.sum() == field * field


@pytest.mark.parametrize(
    ("field", "size", "map_"),
    [(16, 6, 1), (16, 64, 30), (70, 24, 1), (70, 64, 6), (70, 256, 30), (94, 64, 1), (94, 128, 5), (286, 96, 1),
     (286, 256, 6)],
)  # fmt: skip
def test_the_map_of_logits(field, size, map_):
    net = PatchGANDiscriminator(receptive_field=field, channels=1, image_size=size)
    assert net(torch.randn(2, 3, size, size)).shape == (2, 1, map_, map_)


def test_logits_are_neither_averaged_nor_squashed():
    net = PatchGANDiscriminator(receptive_field=16, image_size="64x32")
    torch.nn.init.constant_(net.layers[-1].bias, -100)
    logits = net(torch.randn(2, 3, 32, 64))
    assert logits.shape == (2, 1, 14, 30)
    assert logits.max() < -1


def conv(inputs, outputs):
    return inputs * outputs * 16 + outputs


WIDTHS = {16: [1, 2], 70: [1, 2, 4, 8], 94: [1, 2, 4, 8], 286: [1, 2, 4, 8, 8, 8]}


@pytest.mark.parametrize(("field", "spectral_norm"), [(f, s) for f in FIELDS for s in (False, True)])
def test_as_many_parameters_as_the_layers_have(field, spectral_norm):
    d, expected, inputs = 4, 0, 6
    for times in WIDTHS[field]:
        expected += conv(inputs, d * times)
        expected += 2 * d * times if times > 1 and not spectral_norm else 0
        inputs = d * times
    net = PatchGANDiscriminator(
        receptive_field=field, image_size=128, image_colors=6, spectral_norm=spectral_norm
    )
    assert sum(p.numel() for p in net.parameters()) == expected + conv(inputs, 1)


def test_the_first_layer_has_no_norm_and_spectral_norm_takes_their_place():
    kinds = [type(m).__name__ for m in PatchGANDiscriminator().layers]
    assert kinds == ["Conv2d", "LeakyReLU", *["Conv2d", "BatchNorm2d", "LeakyReLU"] * 3, "Conv2d"]
    normed = PatchGANDiscriminator(spectral_norm=True)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in normed.modules())
    assert all(hasattr(m, "parametrizations") for m in normed.layers if isinstance(m, torch.nn.Conv2d))


@pytest.mark.parametrize(
    ("field", "size", "sentence"),
    [
        (94, 63, r"at least 64 .*`receptive_field` is 94.*got 63\. Try 64, or `receptive_field` 70\."),
        (70, 23, r"at least 24 .*got 23\. Try 24, or `receptive_field` 16\."),
        (286, 64, r"at least 96 .*got 64\. Try 96, or `receptive_field` 94\."),
        (286, "256x80", r"at least 96 .*got 256x80\. Try 256x96, or `receptive_field` 94\."),
        (16, 5, r"at least 6 .*got 5\. Try 6\."),
    ],
)
def test_too_small_an_image_is_refused_with_what_fits(field, size, sentence):
    with pytest.raises(OptionError, match=sentence):
        PatchGANDiscriminator(receptive_field=field, image_size=size)


def test_what_the_refusals_offer_works():
    for field, size in ((70, 63), (16, 23), (94, 64), (94, "256x80"), (286, "256x96")):
        height, width = (int(x) for x in size.split("x")[::-1]) if isinstance(size, str) else (size, size)
        net = PatchGANDiscriminator(receptive_field=field, image_size=size)
        assert net(torch.randn(2, 3, height, width)).numel() >= 2


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = PatchGANDiscriminator(channels=2, receptive_field=70, image_size=32)
    torch.manual_seed(0)
    options = Namespace(discriminator_channels=2, discriminator_receptive_field=70, image_size=32)
    other = PatchGANDiscriminator(options)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
