from argparse import Namespace
from math import log

import pytest
import torch
from torch import nn

from ganzo.loss.gan import GANLoss
from ganzo.loss.pix2pix import Pix2PixLoss
from ganzo.nn.critic import Verdict


def undecided(images, labels=None):
    """A critic whose logits are 0: each side costs log 2."""
    return images.sum((1, 2, 3))[:, None] * 0


def pictures(*values):
    """Images of one pixel, one row of channels each."""
    return torch.tensor(values, dtype=torch.float32)[:, :, None, None]


def test_numbers_by_hand():
    """One input channel, two of the output: |0.5 - 1| = 0.5, |0 - 0| = 0, |-1 - 1| = 2, |0.5 - 0| = 0.5: mean 0.75."""
    fake, target = pictures([0.3, 0.5, 0.0], [-0.7, -1.0, 0.5]), pictures([1.0, 0.0], [1.0, 0.0])
    value = Pix2PixLoss(undecided, l1_weight=10.0).for_generator(fake, target)
    assert value.item() == pytest.approx(log(2) + 10 * 0.75)
    assert Pix2PixLoss(undecided).for_generator(fake, target).item() == pytest.approx(log(2) + 75)


def test_input_channels_do_not_count():
    target = pictures([1.0])
    near, far = (
        Pix2PixLoss(undecided).for_generator(pictures([first, 1.0]), target) for first in (1.0, -1.0)
    )
    assert near == far and near.item() == pytest.approx(log(2))


def test_the_gradient_reaches_the_output_alone():
    fake = pictures([0.5, 0.5]).requires_grad_()
    Pix2PixLoss(undecided, l1_weight=3.0).for_generator(fake, pictures([0.0])).backward()
    assert fake.grad.flatten().tolist() == [0.0, 3.0]


def test_without_weight_it_is_the_loss_gan():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(2, 1))
    fake, real, target = torch.rand(4, 2, 1, 1), torch.rand(4, 2, 1, 1), torch.rand(4, 1, 1, 1)
    one, other = Pix2PixLoss(critic, l1_weight=0.0), GANLoss(critic)
    assert one.for_generator(fake, target) == other.for_generator(fake)
    assert one.for_discriminator(real, fake) == other.for_discriminator(real, fake)


def test_the_discriminators_loss_is_a_sum():
    real, fake = torch.zeros(4, 1, 6, 6), torch.zeros(4, 1, 6, 6)  # logits of patches
    assert Pix2PixLoss(nn.Identity()).discriminator_loss(real, fake).item() == pytest.approx(2 * log(2))


def test_soft_and_noisy_labels_are_those_of_the_loss_gan():
    random = [torch.Generator().manual_seed(3) for _ in range(2)]
    options = {"soft_labels": True, "noisy_labels": True, "noisy_labels_frequency": 0.5}
    one = Pix2PixLoss(nn.Identity(), **options, random=random[0])
    other = GANLoss(nn.Identity(), **options, random=random[1])
    logits = torch.randn(64, 1)
    assert one.discriminator_loss(logits, logits) == other.discriminator_loss(logits, logits)
    assert one.generator_loss(logits) == other.generator_loss(logits)


def test_labels_reach_the_critic_and_its_class_head():
    asked = []

    def critic(images, labels):
        asked.append(labels)
        return Verdict(undecided(images), classes=torch.zeros(len(images), 4))

    labels = torch.tensor([1, 3])
    value = Pix2PixLoss(critic, l1_weight=1.0).for_generator(
        torch.zeros(2, 2, 1, 1), torch.ones(2, 1, 1, 1), labels
    )
    assert asked == [labels] and value.item() == pytest.approx(log(2) + log(4) + 1)


def test_without_a_target_it_cannot_be_asked():
    with pytest.raises(AssertionError, match="what is wanted"):
        Pix2PixLoss(undecided).for_generator(torch.zeros(1, 2, 1, 1))


def test_options_build_it():
    loss = Pix2PixLoss(Namespace(l1_weight=5.0, soft_labels=True), nn.Identity())
    assert (loss.l1_weight, loss.gan.soft_labels, loss.gan.noise) == (5.0, True, 0.0)
    assert Pix2PixLoss(nn.Identity()).l1_weight == 100.0 and Pix2PixLoss.translates
