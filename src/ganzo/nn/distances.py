"""Distances between two sets of features, each in float64, as plain functions of tensors."""

import math

import numpy as np
import torch
from torch import Tensor

CHUNK = 2000  # rows of a matrix of distances that are held at once


def frechet_distance(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> float:
    """‖μ₁ − μ₂‖² + Tr C₁ + Tr C₂ − 2 Tr (C₁ C₂)^½, of means F and covariances F×F.

    The last trace is the sum of the singular values of C₁^½ C₂^½, so that it is real whatever the rank. Features
    that are not finite have no distance: nan.

    Paper: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017, https://arxiv.org/abs/1706.08500, eq. 6
    """
    if not all(bool(x.isfinite().all()) for x in (mean, covariance, other_mean, other_covariance)):
        return math.nan
    one, other = root(covariance), root(other_covariance)
    shared = torch.linalg.svdvals(one @ other.to(one)).sum()
    away = (mean.double().to(one.device) - other_mean.double().to(one.device)).square().sum()
    traces = covariance.double().trace() + other_covariance.double().trace().to(covariance.device)
    distance = (away.to(traces.device) + traces - 2 * shared.to(traces.device)).item()
    return distance if math.isnan(distance) else max(0.0, distance)


def root(covariance: Tensor) -> Tensor:
    """The symmetric square root of a covariance; directions in which nothing varies stay exactly empty."""
    values, vectors = torch.linalg.eigh(covariance.double())
    least = values.max().clamp(min=0) * len(values) * torch.finfo(torch.float64).eps
    return (vectors * torch.where(values > least, values, 0).sqrt()) @ vectors.T


def kernel_distance(
    real: Tensor, fake: Tensor, subsets: int = 100, size: int = 1000, seed: int = 2020
) -> tuple[float, float]:
    """Mean and deviation, over random subsets, of the unbiased squared MMD with the kernel (xᵀy / F + 1)³.

    Args:
        real: N×F
        fake: M×F
        subsets: how many pairs of subsets
        size: features in each; no more than there are
        seed: of the choice, first among the fakes, then among the real ones

    Paper: Bińkowski et al., "Demystifying MMD GANs", 2018, https://arxiv.org/abs/1801.01401, section 4
    """
    draw, found = np.random.RandomState(seed), []
    size = min(size, len(real), len(fake))
    for _ in range(subsets):
        one, other = (
            s[torch.from_numpy(draw.choice(len(s), size, replace=False)).to(s.device)].double()
            for s in (fake, real)
        )
        found.append(squared_mmd(one, other))
    return float(np.mean(found)), float(np.std(found))


def squared_mmd(one: Tensor, other: Tensor) -> float:
    """The unbiased estimate for two sets of the same size m: no example is compared with itself."""
    m = len(one)

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    within = sum(k.sum() - k.trace() for k in (kernel(one, one), kernel(other, other)))
    assert isinstance(within, Tensor)
    return (within / (m * (m - 1)) - 2 * kernel(one, other).mean()).item()


def inception_score(logits: Tensor, splits: int = 10, seed: int | None = 2020) -> tuple[float, float]:
    """Mean and deviation, over splits, of exp E[KL(p(y|x) ‖ p(y))]; from 1 to the number of classes.

    Args:
        logits: N×K
        splits: parts of about the same size, in each of which p(y) is estimated
        seed: of the order in which the examples are split; none for the order in which they stand

    Paper: Salimans et al., "Improved Techniques for Training GANs", 2016, https://arxiv.org/abs/1606.03498, section 4
    """
    if seed is not None:
        order = np.random.RandomState(seed).permutation(len(logits))
        logits = logits[torch.from_numpy(order).to(logits.device)]
    scores = []
    for part in (logits[i * len(logits) // splits : (i + 1) * len(logits) // splits] for i in range(splits)):
        log_p = part.double().log_softmax(1)
        marginal = log_p.exp().mean(0)
        scores.append((log_p.exp() * (log_p - marginal.log())).sum(1).mean().exp().item())
    return float(np.mean(scores)), float(np.std(scores))


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """The share of fakes inside a ball around a real example, and of real ones inside a ball around a fake.

    A ball reaches to the k-th nearest neighbour within its own set.

    Paper: Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019,
    https://arxiv.org/abs/1904.06991, eq. 1–2
    """
    return share_inside(fake, real, k), share_inside(real, fake, k)


def share_inside(points: Tensor, centres: Tensor, k: int) -> float:
    """The share of points in the ball of at least one centre."""
    reach, inside = radii(centres, k), 0
    for part in points.split(CHUNK):
        inside += int((squared_distances(part, centres) <= reach).any(1).sum())
    return inside / len(points)


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """Density Σ_j Σ_i 1[fake j in ball i] / (k M), and coverage, the share of real balls that hold a fake.

    A ball reaches from a real example to its k-th nearest real neighbour. Density may be above 1.

    Paper: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", 2020,
    https://arxiv.org/abs/2002.09797, eq. 3–4
    """
    reach, inside = radii(real, k), 0
    held = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for part in fake.split(CHUNK):
        within = squared_distances(part, real) <= reach
        inside += int(within.sum())
        held |= within.any(0)
    return inside / (k * len(fake)), held.double().mean().item()


def radii(points: Tensor, k: int) -> Tensor:
    """The squared distance of each point to its k-th nearest neighbour in the set, itself not counted."""
    k = min(k, len(points) - 1)
    return torch.cat(
        [squared_distances(part, points).kthvalue(k + 1, dim=1).values for part in points.split(CHUNK)]
    )


def squared_distances(one: Tensor, other: Tensor) -> Tensor:
    """‖x − y‖² for each pair, n×m, float64."""
    one, other = one.double(), other.double().to(one.device)
    away = one.square().sum(1)[:, None] + other.square().sum(1) - 2 * one @ other.T
    return away.clamp_(min=0)
