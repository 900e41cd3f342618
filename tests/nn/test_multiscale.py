import pytest
import torch
from torch import nn

from ganzo.discriminator.fc import FCDiscriminator
from ganzo.errors import OptionError
from ganzo.nn.critic import Critic
from ganzo.nn.gradient import between, gradient_penalty, slopes
from ganzo.nn.labels import ConcatLabels
from ganzo.nn.multiscale import MinibatchDeviation, PixelNorm, norm_of, pyramid, scales_of, widths_of


def test_scales_double_from_four_pixels():
    assert scales_of(32, "it") == [(4, 4), (8, 8), (16, 16), (32, 32)]
    assert scales_of("96x64", "it") == [(4, 6), (8, 12), (16, 24), (32, 48), (64, 96)]


def test_widths_stay_over_three_doublings_and_are_halved_then():
    assert widths_of(16, 7) == [16, 16, 16, 16, 8, 4, 2]
    assert widths_of(1, 6) == [1] * 6


def test_smaller_pixels_are_the_means_of_what_they_cover():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    small, whole = pyramid(image, [(2, 2), (4, 4)])
    assert small.flatten().tolist() == [2.5, 4.5, 10.5, 12.5] and whole is image


def test_a_pixel_norm_has_a_root_mean_square_of_one():
    out = PixelNorm()(torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)).flatten()
    assert out.tolist() == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5])
    assert isinstance(norm_of("batch", 2), nn.BatchNorm2d) and isinstance(
        norm_of("instance", 2), nn.InstanceNorm2d
    )
    assert isinstance(norm_of("none", 2), nn.Identity) and isinstance(norm_of("pixel", 2), PixelNorm)


def test_the_deviation_of_a_batch_is_one_number_everywhere():
    batch = torch.stack([torch.zeros(2, 3, 3), torch.full((2, 3, 3), 4.0)])
    out = MinibatchDeviation()(batch)
    assert out.shape == (2, 3, 3, 3) and torch.equal(out[:, :2], batch)
    assert out[:, 2].flatten().tolist() == pytest.approx([2.0] * 18)


class Sum(nn.Module):
    """The logit of a sample: the first scale's sum, and twice the second's."""

    scales = ((1, 1), (2, 2))

    def forward(self, images, labels=None):
        return images[0].sum((1, 2, 3))[:, None] + 2 * images[1].sum((1, 2, 3))[:, None]


def test_what_is_real_is_offered_at_all_scales():
    assert Critic(Sum())(torch.ones(3, 1, 2, 2)).tolist() == [[9.0]] * 3
    assert Critic(Sum())([torch.ones(3, 1, 1, 1), torch.zeros(3, 1, 2, 2)]).tolist() == [[1.0]] * 3


def test_every_scale_is_augmented_by_itself():
    seen = []
    Critic(Sum(), [lambda images: seen.append(images.shape[2]) or images])(torch.ones(1, 1, 2, 2))
    assert seen == [1, 2]


def test_labels_beside_every_scale():
    network = ConcatLabels(Sum(), 3)
    assert Critic(network)(torch.zeros(2, 1, 2, 2), torch.tensor([0, 2])).tolist() == [[1.0 + 2 * 4]] * 2


def test_a_list_is_refused_by_what_judges_one_size():
    images = [torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 2, 2)]
    with pytest.raises(
        OptionError, match="makes images in 2 sizes, and `FCDiscriminator` judges one; choose"
    ):
        Critic(FCDiscriminator(image_size=2, image_colors=1))(images)
    # a third party's may not say
    assert Critic(lambda images: images[0].flatten(1))(images).tolist() == [[0.0]]


def test_each_scale_has_a_slope_of_its_own():
    points = [torch.zeros(2, 1, 1, 1), torch.zeros(2, 1, 2, 2)]
    assert slopes(Sum(), points).tolist() == [1.0, 1.0, 16.0, 16.0]  # 1, and four times 2²


def test_the_penalty_is_the_mean_over_the_scales():
    real, fake = torch.zeros(2, 1, 2, 2), [torch.zeros(2, 1, 1, 1), torch.zeros(2, 1, 2, 2)]
    assert gradient_penalty(Critic(Sum()), real, fake).item() == pytest.approx((0 + (4 - 1) ** 2) / 2)


def test_the_place_between_is_the_same_at_every_scale():
    real, fake = torch.ones(50, 1, 2, 2), [torch.zeros(50, 1, 1, 1), torch.zeros(50, 1, 2, 2)]
    small, large = between(real, fake, torch.Generator().manual_seed(0))
    assert torch.equal(small.expand(-1, -1, 2, 2), large) and 0 < small.min() < 0.3 < 0.7 < small.max() < 1
