"""Layers that know the class of an image."""

from typing import Literal

import torch
from torch import Tensor, nn

from ganzo.nn.critic import Verdict

HeadKind = Literal["plain", "projection", "auxiliary"]


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose gains and offsets are looked up by class; without classes, plain batch normalisation.

    Args:
        channels: channels of the input
        classes: number of classes; 0 for none

    Attributes:
        labels: the classes of the batch (B), where a network that knows nothing of labels asks without them

    Paper: de Vries et al., "Modulating early visual processing by language", 2017, https://arxiv.org/abs/1707.00683
    """

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.labels: Tensor | None = None
        self.norm = nn.BatchNorm2d(channels, affine=not classes)
        self.gain = nn.Embedding(classes, channels) if classes else None
        self.offset = nn.Embedding(classes, channels) if classes else None
        if self.gain is not None and self.offset is not None:
            nn.init.ones_(self.gain.weight)
            nn.init.zeros_(self.offset.weight)

    def forward(self, hidden: Tensor, labels: Tensor | None = None) -> Tensor:
        """Normalise B×C×H×W, then scale and shift it as the labels (B) ask."""
        hidden = self.norm(hidden)
        if self.gain is None or self.offset is None:
            return hidden
        labels = self.labels if labels is None else labels
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


class Head(nn.Module):
    """The last layer of a discriminator: features to a logit, and what labels have to do with it.

    Args:
        features: numbers per image
        classes: number of classes; 0 for none
        kind: `plain` ignores labels, `projection` adds the features' inner product with the label's embedding,
            `auxiliary` also says which class an image shows; without classes every head is plain

    Paper: projection: Miyato & Koyama, "cGANs with Projection Discriminator", 2018, https://arxiv.org/abs/1802.05637;
        auxiliary: Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", 2017,
        https://arxiv.org/abs/1610.09585
    """

    def __init__(self, features: int, classes: int = 0, kind: HeadKind = "plain"):
        super().__init__()
        self.judge = Projection(features, classes if kind == "projection" else 0)
        self.classify = nn.Linear(features, classes) if classes and kind == "auxiliary" else None

    def forward(self, features: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        """Features B×F and labels B to logits B×1, with logits of classes B×K where the head is auxiliary."""
        logits = self.judge(features, labels)
        return logits if self.classify is None else Verdict(logits, classes=self.classify(features).float())
