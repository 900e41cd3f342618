"""Discriminators that also name classes: the loss of that, with every loss that there is."""

from math import log

import pytest
import torch
from torch import nn

from ganzo.loss import with_classes
from ganzo.nn.critic import Critic, Verdict
from ganzo.registry import Registry, accepts


def test_it_is_the_cross_entropy_by_hand():
    classes = torch.tensor([[0.0, log(3.0)], [0.0, 0.0]])  # probabilities 1/4, 3/4 and 1/2, 1/2
    said, loss = Verdict(torch.zeros(2, 1), classes=classes), torch.tensor(0.5)
    right, wrong = (log(4 / 3) + log(2)) / 2, (log(4) + log(2)) / 2
    assert with_classes(loss, torch.tensor([1, 0]), said).item() == pytest.approx(0.5 + right)
    assert with_classes(loss, torch.tensor([0, 0]), said, said).item() == pytest.approx(0.5 + 2 * wrong)


def test_without_a_head_the_loss_stays_as_it_is():
    loss = torch.tensor(0.5)
    assert with_classes(loss, torch.tensor([0, 1]), Verdict(torch.zeros(2, 1))) is loss


def test_a_head_without_labels_is_our_mistake():
    with pytest.raises(AssertionError, match="asked with labels"):
        with_classes(torch.tensor(0.5), None, Verdict(torch.zeros(2, 1), classes=torch.zeros(2, 3)))


class Auxiliary(nn.Module):
    """A discriminator with a head for classes."""

    def __init__(self, classes=3):
        super().__init__()
        self.judge, self.head = nn.Linear(4, 1), nn.Linear(4, classes)

    def forward(self, images, labels=None):
        return Verdict(self.judge(images.flatten(1)), classes=self.head(images.flatten(1)))


@pytest.mark.parametrize("name", Registry.keys("loss"))
def test_every_loss_teaches_the_head_and_the_generator(name):
    torch.manual_seed(0)
    network, labels = Auxiliary(), torch.tensor([0, 2, 1, 1])
    loss = Registry.lookup("loss", name)(Critic(network))
    real, fake = torch.randn(4, 1, 2, 2), torch.randn(4, 1, 2, 2, requires_grad=True)
    loss.for_discriminator(real, fake.detach(), labels=labels).backward()
    assert network.head.weight.grad.abs().sum() > 0

    seen = {"real": real} if accepts(loss.for_generator, "real") else {}
    wanted = (torch.zeros(4, 1, 2, 2),) if loss.translates else ()
    told = loss.for_generator(fake, *wanted, labels=labels, **seen)
    (with_head,) = torch.autograd.grad(told, fake)
    nn.init.zeros_(network.head.weight)  # then the images have no say in the classes
    (without,) = torch.autograd.grad(loss.for_generator(fake, *wanted, labels=labels, **seen), fake)
    assert not torch.allclose(with_head, without)


@pytest.mark.parametrize("name", Registry.keys("loss"))
def test_it_is_added_once_for_each_side(name):
    """A head that says nothing costs log 3 for real and for fake images."""
    network, labels = Auxiliary(), torch.tensor([0, 2, 1, 1])
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)
    real, fake = torch.randn(4, 1, 2, 2), torch.randn(4, 1, 2, 2)

    def both(critic):
        loss = Registry.lookup("loss", name)(Critic(critic))
        torch.manual_seed(0)
        seen = {"real": real} if accepts(loss.for_generator, "real") else {}
        wanted = (torch.zeros(4, 1, 2, 2),) if loss.translates else ()
        told = loss.for_generator(fake, *wanted, labels=labels, **seen)
        return loss.for_discriminator(real, fake, labels=labels).item(), told.item()

    plain = both(lambda images, labels: network.judge(images.flatten(1)))
    assert both(network) == pytest.approx((plain[0] + 2 * log(3), plain[1] + log(3)), rel=1e-5)
