import pytest
import torch
from torch import nn

from ganzo.nn.sampling import BATCHES, evaluating, labels_for, sample_images, settle
from ganzo.noise.gaussian import GaussianNoise


def noise(batch=4):
    return GaussianNoise(state_size=3, batch_size=batch, seed=0)


class Paint(nn.Module):
    """Noise to images, with batch norm, dropout, and noise of its own."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.dropout = nn.Dropout(0.5)
        self.sizes, self.labels = [], []

    def forward(self, z, labels=None):
        self.sizes.append(len(z))
        self.labels.append(labels)
        x = self.dropout(self.norm(z))
        return (x + 0.1 * torch.randn_like(x)).tanh()[:, :, None, None]


def test_labels_go_round():
    assert labels_for(5, 3, "cpu").tolist() == [0, 1, 2, 0, 1]
    assert labels_for(5, 0, "cpu") is None


def test_images_come_in_batches_and_the_same_seed_gives_the_same():
    paint = Paint()
    one, same, other = (sample_images(paint, noise(), 10, seed) for seed in (1, 1, 2))
    assert one.shape == (10, 3, 1, 1) and paint.sizes == [4, 4, 2] * 3
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert not one.requires_grad


def test_without_a_seed_each_draw_is_another():
    paint = Paint()
    assert not torch.equal(sample_images(paint, noise(), 4), sample_images(paint, noise(), 4))


def test_labels_are_handed_on():
    paint = Paint()
    sample_images(paint, noise(), 6, labels=torch.arange(6))
    assert [part.tolist() for part in paint.labels] == [[0, 1, 2, 3], [4, 5]]


def test_drawing_leaves_no_trace():
    paint, source = Paint().train(), noise()
    before = {key: value.clone() for key, value in paint.state_dict().items()}
    torch.manual_seed(0)
    position, torchs = source.state_dict()["generator"].clone(), torch.get_rng_state()
    sample_images(paint, source, 4, seed=1)
    sample_images(paint, source, 4)
    assert paint.training
    assert all(torch.equal(before[key], value) for key, value in paint.state_dict().items())
    assert torch.equal(source.state_dict()["generator"], position)
    assert torch.equal(torch.get_rng_state(), torchs)


def test_the_mode_comes_back_after_an_error():
    paint = Paint().train()
    with pytest.raises(ZeroDivisionError), evaluating(paint):
        assert not paint.training and not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert paint.training and torch.is_grad_enabled()


def test_the_largest_of_several_images_is_taken():
    class Pyramid(nn.Module):
        def forward(self, z):
            return [torch.zeros(len(z), 1, side, side) for side in (2, 4, 8)]

    assert sample_images(Pyramid(), noise(), 3).shape == (3, 1, 8, 8)


def test_half_precision_images_come_as_float32():
    class Half(nn.Module):
        def forward(self, z):
            return z.bfloat16()[:, :, None, None]

    assert sample_images(Half(), noise(), 3).dtype == torch.float32


def test_statistics_of_batch_norm_are_estimated_anew_when_stale():
    paint = Paint().eval()
    paint.norm.running_mean.fill_(100.0)
    settle(paint, noise(batch=64))
    assert paint.norm.running_mean[0] == 100.0  # nothing says that it is stale
    paint.stale = True
    settle(paint, source := noise(batch=64))
    batches = torch.stack([source.sample(64, index) for index in range(BATCHES)])
    assert torch.allclose(paint.norm.running_mean, batches.mean((0, 1)), atol=1e-6)
    assert torch.allclose(paint.norm.running_var, batches.var(1).mean(0), atol=1e-5)
    assert not paint.stale and not paint.training and not paint.norm.training and paint.norm.momentum == 0.1
    assert paint.norm.num_batches_tracked == BATCHES


def test_settling_asks_for_all_classes_and_twice_gives_the_same():
    paint = Paint().eval()
    results = []
    for _ in range(2):
        paint.stale = True
        settle(paint, noise(), classes=3)
        results.append(paint.norm.running_var.clone())
    assert paint.labels[0].tolist() == [0, 1, 2, 0]
    assert torch.equal(*results)


def test_networks_without_batch_norm_are_not_asked():
    class Plain(nn.Module):
        stale = True

        def forward(self, z):
            raise AssertionError

    plain = Plain()
    settle(plain, noise())
    assert not plain.stale
