"""Mean and covariance of features that come batch by batch."""

import torch
from torch import Tensor


class Moments:
    """Mean μ and covariance C = Σ(x − μ)(x − μ)ᵀ / (n − 1), in float64, without keeping the features.

    Batches are joined by their own means and scatters, which loses no digits however far the mean lies from zero.

    Attributes:
        count: features so far
        mean: F, float64
        scatter: F×F, float64, (n − 1) C

    Paper: Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979,
    http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf, eq. 2.1
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.scatter = torch.zeros(0, dtype=torch.float64)

    def add(self, features: Tensor) -> None:
        """Take in features, B×F."""
        x, n = features.double(), len(features)
        if not n:
            return
        mean = x.mean(0)
        centred = x - mean
        scatter = centred.T @ centred
        if not self.count:
            self.count, self.mean, self.scatter = n, mean, scatter
            return
        total, away = self.count + n, mean - self.mean
        self.scatter += scatter + torch.outer(away, away) * (self.count * n / total)
        self.mean = self.mean + away * (n / total)
        self.count = total

    @property
    def covariance(self) -> Tensor:
        """C, F×F float64; of a single example it is zero."""
        return self.scatter / max(1, self.count - 1)

    @property
    def rank_deficient(self) -> bool:
        """Whether there are too few examples for a covariance of full rank."""
        return self.count <= len(self.mean)
