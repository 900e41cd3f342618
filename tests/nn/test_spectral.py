"""Spectral normalization: the numbers of torch's own, and it can be compiled."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganzo.nn.spectral import spectral, step
from ganzo.registry import Registry

LAYERS = {
    "linear": lambda: nn.Linear(8, 3),
    "to one": lambda: nn.Linear(5, 1),
    "convolution": lambda: nn.Conv2d(4, 8, 3),
    "side 1": lambda: nn.Conv2d(3, 8, 1),
}


def made(normed, make, laid_out):
    torch.manual_seed(0)
    layer = normed(make())
    return layer.to(memory_format=laid_out) if isinstance(layer, nn.Conv2d) else layer


def same(some, others):
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("laid_out", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("small", [False, True], ids=["fp32", "autocast"])
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_it_is_torchs_to_the_last_bit(make, small, laid_out):
    theirs, ours = made(spectral_norm, make, laid_out), made(spectral, make, laid_out)
    assert list(theirs.state_dict()) == list(ours.state_dict())
    images = torch.randn(
        2, *((theirs.in_features,) if isinstance(theirs, nn.Linear) else (theirs.in_channels, 6, 6))
    )
    for training in (True, False, True):
        for layer in (theirs, ours):
            layer.train(training)
            layer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=small):
                said = layer(images) + layer(2 * images)  # the second pass follows the value a step further
            said.float().square().mean().backward()
        assert same(theirs.state_dict().values(), ours.state_dict().values())
        assert same([w.grad for w in theirs.parameters()], [w.grad for w in ours.parameters()])


def test_vectors_keep_their_precision_where_products_have_less(monkeypatch):
    """As under autocast on CUDA, where the product of a matrix and a vector comes in bf16; on a CPU it does not."""
    product = torch.mv
    monkeypatch.setattr(torch, "mv", lambda matrix, vector: product(matrix, vector).bfloat16())
    left, right = step(torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.tensor([0.6, 0.8]))
    assert left.dtype == right.dtype == torch.float32
    assert left.tolist() == pytest.approx([0.914, 0.406], abs=0.01)  # (1.8, 0.8), divided by its length


def test_a_copy_has_vectors_of_its_own_and_a_state_of_torchs_fits():
    theirs, ours = spectral_norm(nn.Linear(4, 3)), spectral(nn.Linear(4, 3))
    ours.load_state_dict(theirs.state_dict())
    copied, images = copy.deepcopy(ours), torch.randn(2, 4)
    assert torch.equal(ours(images), theirs(images))
    assert not same(copied.buffers(), ours.buffers())  # it has not passed yet
    assert torch.equal(copied(images), ours.eval()(images)) and same(copied.buffers(), ours.buffers())


def test_a_gradient_has_a_gradient_as_with_torchs():
    found = []
    for normed in (spectral_norm, spectral):
        layer = made(normed, LAYERS["linear"], torch.contiguous_format).double()
        points = torch.linspace(-1, 1, 16, dtype=torch.double).reshape(2, 8).requires_grad_()
        (slope,) = torch.autograd.grad(layer(points).square().sum(), points, create_graph=True)
        slope.square().sum().backward()
        found.append([weight.grad for weight in layer.parameters() if weight.grad is not None])
    assert found[0] and same(*found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_compiled_passes_of_a_residual_discriminator_have_their_gradients():
    """Its shortcuts have kernels of side 1, which torch's own cannot be compiled with."""
    images, gradients = torch.randn(2, 3, 32, 32), []
    for prepared in (lambda network: network, lambda network: torch.compile(network, dynamic=False)):
        torch.manual_seed(0)
        network = Registry.lookup("discriminator", "sn-resnet")(channels=4, image_size=32)
        ask = prepared(network)
        (ask(images).mean() - ask(images + 1).mean()).backward()
        gradients.append([weight.grad for weight in network.parameters()] + list(network.buffers()))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*gradients, strict=True))
