"""Features `random`."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzo.nn.classify import brought
from ganzo.registry import register

WIDTHS = (3, 32, 64, 16)


@register("features", "random")
class RandomFeatures(nn.Module):
    """Fixed random convolutions: they need no file and no labels, and are good for a trend only.

    Shape: B×C×H×W in [-1, 1] to B×64; images of other than three channels are made grey, then three.
    """

    num_features = 64
    gives_logits = False
    resize = "32x32 bilinear antialiased"

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        for number, (before, after) in enumerate(itertools.pairwise(WIDTHS)):
            weight = torch.randn(after, before, 3, 3, generator=draw) * (2 / (9 * before)) ** 0.5
            self.register_buffer(f"weight{number}", weight)

    def forward(self, images: Tensor) -> Tensor:
        x = brought(images, 32)
        if x.shape[1] != 3:
            x = x.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        for name, weight in self.named_buffers():
            x = F.conv2d(x, weight, stride=1 if name == "weight2" else 2, padding=1).relu()
        return F.adaptive_avg_pool2d(x, 2).flatten(1)
