"""Distances by hand, and against plain float64 references."""

import numpy as np
import pytest
import torch

from ganzo.nn.distances import (
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
    root,
    squared_mmd,
)
from ganzo.nn.moments import Moments


def sets(n=120, m=90, size=8, seed=0):
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(size, size, generator=draw)
    real = torch.randn(n, size, generator=draw) @ mix
    return real, torch.randn(m, size, generator=draw) @ mix * 0.9 + 0.3


def of(features):
    moments = Moments()
    for part in features.split(17):
        moments.add(part)
    return moments.mean, moments.covariance


def test_two_normal_distributions_by_hand():
    mean, covariance = torch.zeros(2), torch.diag(torch.tensor([4.0, 9.0]))
    other = torch.diag(torch.tensor([1.0, 1.0]))
    # ‖(3, 4)‖² + (2 − 1)² + (3 − 1)²
    assert frechet_distance(mean, covariance, torch.tensor([3.0, 4.0]), other) == pytest.approx(30.0)
    assert frechet_distance(mean, covariance, mean, covariance) == pytest.approx(0.0, abs=1e-12)


def test_moments_that_come_in_parts_are_those_of_all():
    features = 1e4 + torch.randn(101, 5, dtype=torch.float64)
    mean, covariance = of(features)
    assert np.allclose(mean, features.numpy().mean(0), rtol=1e-12)
    assert np.allclose(covariance, np.cov(features.numpy(), rowvar=False), rtol=1e-9, atol=1e-11)


def test_a_covariance_of_one_example_is_zero():
    assert not of(torch.ones(1, 3))[1].any()


def test_frechet_distance_is_that_of_a_matrix_square_root():
    linalg = pytest.importorskip("scipy.linalg")
    real, fake = (x.double().numpy() for x in sets())
    c, d = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    away = real.mean(0) - fake.mean(0)
    wanted = away @ away + np.trace(c) + np.trace(d) - 2 * np.trace(linalg.sqrtm(c @ d).real)
    assert frechet_distance(*of(sets()[0]), *of(sets()[1])) == pytest.approx(wanted, rel=1e-9)


def test_too_few_examples_give_no_imaginary_component():
    real, fake = sets(n=5, m=6, size=64)
    distance = frechet_distance(*of(real), *of(fake))
    assert np.isfinite(distance) and distance > 0
    assert frechet_distance(*of(real), *of(real)) == pytest.approx(0.0, abs=1e-6)
    assert root(torch.zeros(3, 3)).abs().max() == 0


def test_the_kernel_distance_of_a_whole_set_by_loops():
    real, fake = (x.double().numpy() for x in sets(12, 12, 3))
    kernel = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = sum(kernel(s[i], s[j]) for s in (real, fake) for i in range(12) for j in range(12) if i != j)
    across = sum(kernel(a, b) for a in real for b in fake)
    wanted = within / (12 * 11) - 2 * across / 144
    assert squared_mmd(*map(torch.from_numpy, (real, fake))) == pytest.approx(wanted, rel=1e-10)
    mean, spread = kernel_distance(*map(torch.from_numpy, (real, fake)), subsets=3, size=50)
    assert mean == pytest.approx(wanted, rel=1e-10) and spread == pytest.approx(0.0, abs=1e-9)


def test_samples_of_one_distribution_have_no_kernel_distance():
    draw = torch.Generator().manual_seed(0)
    one, other = (torch.randn(2000, 4, generator=draw) for _ in range(2))
    assert abs(kernel_distance(one, other, 20, 500)[0]) < 0.01
    assert kernel_distance(one, other + 1, 20, 500)[0] > 1


@pytest.mark.parametrize("sure, wanted", [(100.0, 4.0), (0.0, 1.0)])
def test_the_score_lies_between_one_and_the_number_of_classes(sure, wanted):
    logits = sure * torch.eye(4).repeat(50, 1)
    mean, spread = inception_score(logits, splits=2, seed=None)
    assert mean == pytest.approx(wanted) and spread == pytest.approx(0.0, abs=1e-9)


def test_a_single_class_scores_one_however_sure():
    assert inception_score(100 * torch.eye(4)[:1].repeat(40, 1))[0] == pytest.approx(1.0)


def test_neighbours_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    fake = torch.tensor([[0.5], [1.5], [30.0], [31.0]])
    # With k = 1 the balls of the real ones reach 1, 1, 1, 8, those of the fakes 1, 1, 1, 1.
    assert precision_recall(real, fake, 1) == (0.5, 0.75)
    # 0.5 lies in the balls of 0 and 1, 1.5 in those of 1 and 2; 10 has no fake in reach, though 1.5 is 8.5 away.
    assert density_coverage(real, fake, 1) == (1.0, 0.75)


def test_density_and_coverage_by_loops():
    real, fake = sets()
    a, b = real.double().numpy(), fake.double().numpy()
    far = lambda x, y: np.sqrt(((x - y) ** 2).sum())  # noqa: E731
    reach = [sorted(far(x, y) for y in a)[5] for x in a]
    inside = np.array([[far(x, y) <= r for x, r in zip(a, reach, strict=True)] for y in b])
    density, coverage = density_coverage(real, fake)
    assert density == pytest.approx(inside.sum() / (5 * len(b)), rel=1e-12)
    assert coverage == pytest.approx(inside.any(0).mean(), rel=1e-12)


def test_a_set_beside_itself_is_perfect():
    real, _ = sets()
    assert precision_recall(real, real) == (1.0, 1.0)
    assert density_coverage(real, real)[1] == 1.0


def test_features_that_are_not_finite_have_no_distance():
    mean, covariance = of(sets()[0])
    assert np.isnan(frechet_distance(mean, covariance, mean * np.nan, covariance))
    assert np.isnan(frechet_distance(mean, covariance * np.inf, mean, covariance))
