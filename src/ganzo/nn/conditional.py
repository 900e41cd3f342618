"""Layers that know the class of an image."""

import torch
from torch import Tensor, nn


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gains and offsets are looked up by class; without classes, plain batch normalisation.

    Args:
        channels: channels of the input
        classes: number of classes; 0 for none

    Paper: de Vries et al., "Modulating early visual processing by language", 2017, https://arxiv.org/abs/1707.00683
    """

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not classes)
        if classes:
            self.gain, self.offset = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.offset.weight)

    def forward(self, hidden: Tensor, labels: Tensor | None = None) -> Tensor:
        """Normalise B×C×H×W, then scale and shift it as the labels (B) ask."""
        hidden = self.norm(hidden)
        if self.norm.affine:
            return hidden
        assert labels is not None, "a network with classes is asked with labels"
        gain, offset = (
            table(labels).to(hidden.dtype)[:, :, None, None] for table in (self.gain, self.offset)
        )
        return torch.addcmul(offset, hidden, gain)


class Projection(nn.Module):
    """The logit of features: a linear map, plus their inner product with the label's embedding.

    Args:
        features: numbers per image
        classes: number of classes; 0 for the linear map alone

    Paper: Miyato & Koyama, "cGANs with Projection Discriminator", 2018, https://arxiv.org/abs/1802.05637, Eq. 9
    """

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=0.01)

    def forward(self, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Features B×F and labels B to logits B×1."""
        logits = self.linear(features).float()
        if self.embedding is None:
            return logits
        assert labels is not None, "a network with classes is asked with labels"
        wanted = self.embedding(labels).to(features.dtype)
        return logits + (features * wanted).sum(1, keepdim=True, dtype=torch.float32)
