from argparse import Namespace

import pytest
import torch

from ganzo.augment.diffaugment import DiffAugment
from ganzo.errors import OptionError
from ganzo.nn.gradient import slopes


def seeded(policy, seed=0):
    return DiffAugment(policy=policy, random=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("policy", ["color", "translation", "cutout", "color,translation,cutout"])
def test_shape_and_type_stay_and_images_change(policy, colors):
    images = torch.rand(8, colors, 16, 12) + 0.5
    changed = seeded(policy)(images)
    assert changed.shape == images.shape and changed.dtype == images.dtype
    assert not torch.equal(changed, images)


def test_an_empty_policy_changes_nothing():
    images = torch.randn(2, 3, 8, 8)
    assert DiffAugment(policy="")(images) is images


def test_policies_may_be_joined_by_plus():
    assert DiffAugment(policy="color+cutout").policy == ["color", "cutout"]


def test_an_unknown_policy_is_refused_with_the_nearest():
    with pytest.raises(
        OptionError, match=r"color, translation, cutout; got `colour`\. Did you mean `color`\?"
    ):
        DiffAugment(policy="cutout,colour")


def test_numbers_come_from_the_given_generator():
    images = torch.randn(4, 3, 16, 16)
    state = torch.get_rng_state()
    one, same, other = (seeded("color,translation,cutout", seed)(images) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_brightness_moves_grey_images_by_up_to_a_half_each_its_own_way():
    # grey: saturation and contrast do nothing
    changed = seeded("color")(torch.zeros(200, 3, 2, 2)).flatten(1)
    assert torch.allclose(changed, changed[:, :1].expand_as(changed), atol=1e-6)
    assert changed.min() >= -0.5 and changed.max() <= 0.5
    assert changed[:, 0].std() > 0.25  # 1/√12 = 0.29


def test_saturation_and_contrast_scale_distances():
    # Two pixels of opposite colours: their mean is grey 0, so contrast and saturation scale both as one.
    images = torch.tensor([[[1.0, -1.0]], [[-1.0, 1.0]], [[0.0, 0.0]]])[None].expand(500, 3, 1, 2)
    changed = seeded("color")(images)
    scale = (changed[:, 0, 0, 0] - changed[:, 1, 0, 0]) / 2
    assert scale.min() >= 0 and scale.max() <= 2 * 1.5
    assert scale.mean().item() == pytest.approx(1.0, abs=0.1)


def test_contrast_keeps_the_mean_that_brightness_gave():
    images = torch.randn(16, 1, 8, 8)
    changed = seeded("color")(images)
    distance = (changed - changed.mean((1, 2, 3), True)) / (images - images.mean((1, 2, 3), True))
    factor = distance.flatten(1).median(dim=1).values  # one colour has no saturation: contrast alone
    assert factor.min() >= 0.5 and factor.max() <= 1.5


def test_translation_moves_by_up_to_an_eighth_and_fills_with_zero():
    images = torch.zeros(300, 1, 16, 16)
    images[:, :, 8, 8] = 1.0
    changed = seeded("translation")(images)
    assert (changed.sum((1, 2, 3)) == 1).all()
    _, _, rows, columns = changed.nonzero(as_tuple=True)
    assert set((rows - 8).tolist()) == set((columns - 8).tolist()) == {-2, -1, 0, 1, 2}

    ones = seeded("translation")(torch.ones(300, 1, 16, 16))
    assert {int(n) for n in ones.sum((1, 2, 3)).tolist()} == {
        h * w for h in (14, 15, 16) for w in (14, 15, 16)
    }


def test_colours_of_a_pixel_move_together():
    images = torch.rand(8, 1, 16, 16).expand(-1, 3, -1, -1)
    changed = seeded("translation,cutout")(images)
    assert torch.equal(changed[:, 0], changed[:, 2])


@pytest.mark.parametrize("side", [16, 15])
def test_cutout_makes_at_most_a_square_of_half_the_side_zero(side):
    changed = seeded("cutout")(torch.ones(500, 1, side, side))
    holes = (changed == 0).sum((1, 2, 3))
    half = 8
    assert set(changed.unique().tolist()) == {0.0, 1.0}
    assert holes.max() == half * half
    assert holes.min() >= (half // 2 - 1) ** 2  # at a corner


def test_gradients_flow_through_all_of_it_twice():
    images = torch.randn(4, 3, 8, 8, requires_grad=True)
    augment = seeded("color,translation,cutout")
    augment(images).square().sum().backward()
    assert images.grad.flatten(1).abs().sum(1).min() > 0

    weight = torch.randn(3, requires_grad=True)
    slopes(lambda x: (augment(x).square() * weight[:, None, None]).sum((1, 2, 3)), images).mean().backward()
    assert weight.grad.abs().min() > 0


def test_zeroed_pixels_get_no_gradient():
    images = torch.ones(1, 1, 8, 8, requires_grad=True)
    changed = seeded("cutout")(images)
    changed.sum().backward()
    assert torch.equal(images.grad, changed.detach())


def test_low_precision_and_channels_last_go_through():
    images = torch.randn(2, 3, 8, 8)
    expected = seeded("color,translation,cutout")(images)
    torch.testing.assert_close(
        seeded("color,translation,cutout")(images.to(memory_format=torch.channels_last)), expected
    )
    assert seeded("color,translation,cutout")(images.bfloat16()).dtype == torch.bfloat16


def test_policy_is_an_option():
    assert DiffAugment(Namespace(diffaugment_policy="cutout")).policy == ["cutout"]
