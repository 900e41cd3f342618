from argparse import Namespace
from math import log

import pytest
import torch
from torch import nn

from ganzo.loss.gan import GANLoss


def labels_behind(loss_of, n=4000, shape=(1,)):
    """The labels that a loss compares with: at logit 0 its gradient is (0.5 - label) / number of logits."""
    logits = torch.zeros(n, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss_of(logits), logits)
    return 0.5 - gradient * logits.numel()


def test_undecided_logits_cost_log_2_a_side():
    loss = GANLoss(nn.Identity())
    zero = torch.zeros(4, 1)
    assert loss.discriminator_loss(zero, zero).item() == pytest.approx(2 * log(2))
    assert loss.generator_loss(zero).item() == pytest.approx(log(2))


def test_a_sure_and_right_discriminator_pays_nothing():
    loss = GANLoss(nn.Identity())
    right, wrong = torch.full((4, 1), 50.0), torch.full((4, 1), -50.0)
    assert loss.discriminator_loss(right, wrong).item() == pytest.approx(0.0, abs=1e-6)
    assert loss.discriminator_loss(wrong, right).item() == pytest.approx(100.0)
    assert loss.generator_loss(wrong).item() == pytest.approx(50.0)


def test_numbers_by_hand():
    """A logit of log 3 says real with 3/4, one of -log 3 with 1/4."""
    loss = GANLoss(nn.Identity())
    three, third = torch.tensor([[log(3.0)]]), torch.tensor([[-log(3.0)]])
    assert loss.discriminator_loss(three, third).item() == pytest.approx(2 * log(4 / 3))
    assert loss.discriminator_loss(three, three).item() == pytest.approx(log(4 / 3) + log(4))
    assert loss.generator_loss(third).item() == pytest.approx(log(4))
    assert loss.generator_loss(torch.cat([three, third])).item() == pytest.approx((log(4 / 3) + log(4)) / 2)


def test_hard_labels_are_one_and_zero():
    loss = GANLoss(nn.Identity())
    zero = torch.zeros(4000, 1)
    assert (labels_behind(lambda x: loss.discriminator_loss(x, zero)) == 1).all()
    assert (labels_behind(lambda x: loss.discriminator_loss(zero, x)) == 0).all()


def test_soft_labels_lie_in_a_tenth_of_each_side_and_differ_by_sample():
    loss = GANLoss(nn.Identity(), soft_labels=True, random=torch.Generator().manual_seed(0))
    zero = torch.zeros(4000, 1)
    for loss_of, low in [
        (lambda x: loss.discriminator_loss(x, zero), 0.9),
        (lambda x: loss.discriminator_loss(zero, x), 0.0),
        (loss.generator_loss, 0.9),
    ]:
        labels = labels_behind(loss_of)
        assert labels.min() >= low - 1e-4
        assert labels.max() <= low + 0.1 + 1e-4
        assert labels.mean().item() == pytest.approx(low + 0.05, abs=3e-3)
        assert labels.std() > 0.02  # 0.1/√12 = 0.029


def test_soft_labels_are_uniform():
    loss = GANLoss(nn.Identity(), soft_labels=True, random=torch.Generator().manual_seed(0))
    zero = torch.zeros(4000, 1)
    real = labels_behind(lambda x: loss.discriminator_loss(x, zero)).flatten()
    fake = labels_behind(lambda x: loss.discriminator_loss(zero, x)).flatten()
    for labels, low in ((real, 0.9), (fake, 0.0)):
        tenths = torch.histc(labels, 10, low, low + 0.1)
        assert tenths.min() > 330 and tenths.max() < 470  # 400 each, give or take 19


def test_soft_labels_are_swapped_one_by_one():
    random = torch.Generator().manual_seed(0)
    loss = GANLoss(
        nn.Identity(), soft_labels=True, noisy_labels=True, noisy_labels_frequency=0.3, random=random
    )
    zero = torch.zeros(4000, 1)
    real = labels_behind(lambda x: loss.discriminator_loss(x, zero)).flatten()
    swapped = real < 0.5
    assert swapped.float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert real[swapped].max() < 0.1 + 1e-4 and real[~swapped].min() > 0.9 - 1e-4
    assert real[swapped].std() > 0.02 and real[~swapped].std() > 0.02
    pairs = (swapped[1:] & swapped[:-1]).float().mean().item()  # neighbours are swapped independently
    assert pairs == pytest.approx(0.09, abs=0.02)


def test_patches_of_one_sample_are_swapped_together():
    loss = GANLoss(nn.Identity(), noisy_labels=True, noisy_labels_frequency=0.5)
    zero = torch.zeros(32, 1, 3, 3)
    labels = labels_behind(lambda x: loss.discriminator_loss(x, zero), n=32, shape=(1, 3, 3)).flatten(1)
    assert torch.allclose(labels, labels[:, :1].expand_as(labels), atol=1e-5)
    assert 0.1 < labels[:, 0].mean() < 0.9


def test_patches_of_one_sample_share_their_label():
    loss = GANLoss(nn.Identity(), soft_labels=True)
    labels = labels_behind(loss.generator_loss, n=8, shape=(1, 3, 3)).flatten(1)
    assert torch.allclose(labels, labels[:, :1].expand_as(labels), atol=1e-5)
    assert labels[:, 0].std() > 1e-3


@pytest.mark.parametrize("frequency", [0.0, 0.25, 1.0])
def test_noisy_labels_are_swapped_as_often_as_asked(frequency):
    random = torch.Generator().manual_seed(0)
    loss = GANLoss(nn.Identity(), noisy_labels=True, noisy_labels_frequency=frequency, random=random)
    zero = torch.zeros(4000, 1)
    real = labels_behind(lambda x: loss.discriminator_loss(x, zero))
    fake = labels_behind(lambda x: loss.discriminator_loss(zero, x))
    assert (real < 0.5).float().mean().item() == pytest.approx(frequency, abs=0.03)
    assert (fake > 0.5).float().mean().item() == pytest.approx(frequency, abs=0.03)


def test_noise_leaves_the_generator_alone():
    loss = GANLoss(nn.Identity(), noisy_labels=True, noisy_labels_frequency=1.0)
    assert (labels_behind(loss.generator_loss) == 1).all()


def test_frequency_alone_swaps_nothing():
    loss = GANLoss(nn.Identity(), noisy_labels_frequency=1.0)
    zero = torch.zeros(4000, 1)
    assert (labels_behind(lambda x: loss.discriminator_loss(x, zero)) == 1).all()


def test_labels_come_from_the_given_generator():
    def once():
        loss = GANLoss(
            nn.Identity(), soft_labels=True, noisy_labels=True, random=torch.Generator().manual_seed(5)
        )
        return loss.discriminator_loss(torch.ones(8, 1), torch.ones(8, 1)).item()

    state = torch.get_rng_state()
    assert once() == once()
    assert torch.equal(torch.get_rng_state(), state)


def test_both_doors_give_the_same_loss():
    options = Namespace(soft_labels=True, noisy_labels=True, noisy_labels_frequency=0.5)
    logits = torch.ones(8, 1)
    values = []
    for build in (
        lambda random: GANLoss(options, nn.Identity(), random=random),
        lambda random: GANLoss(nn.Identity(), **vars(options), random=random),
    ):
        values.append(build(torch.Generator().manual_seed(1)).discriminator_loss(logits, logits).item())
    assert values[0] == values[1]


def test_third_argument_goes_by_both_names():
    def critic(images, labels):
        return images * labels

    loss = GANLoss(critic)
    images, labels = torch.ones(2, 1), torch.tensor([[3.0], [5.0]])
    expected = loss.generator_loss(images * labels)
    assert loss.for_generator(images, labels) == loss.for_generator(images, labels=labels) == expected
