"""Residual blocks that double or halve the side of images, as in WGAN-GP's ResNet."""

import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.nn.initial import he, xavier


class UpBlock(nn.Module):
    """Doubles the side: B×inputs×h×w to B×outputs×2h×2w, with batch norm."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.shortcut = xavier(nn.Conv2d(inputs, outputs, 1))
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = he(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = he(nn.Conv2d(outputs, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(twice(F.relu(self.norm1(x))))  # B×outputs×2h×2w
        main = self.conv2(F.relu(self.norm2(main)))
        return main + twice(self.shortcut(x))  # 1×1 before the doubling: the same, at a quarter of the cost


class DownBlock(nn.Module):
    """Halves the side: B×inputs×side×side to B×outputs×side/2×side/2, with layer norm over whole samples, or none."""

    def __init__(self, inputs: int, outputs: int, side: int, normalize: bool = True):
        super().__init__()
        self.shortcut = xavier(nn.Conv2d(inputs, outputs, 1))
        self.norm1 = nn.LayerNorm([inputs, side, side]) if normalize else nn.Identity()
        self.conv1 = he(nn.Conv2d(inputs, inputs, 3, padding=1, bias=not normalize))
        self.norm2 = nn.LayerNorm([inputs, side, side]) if normalize else nn.Identity()
        self.conv2 = he(nn.Conv2d(inputs, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(F.relu(self.norm1(x)))
        main = F.avg_pool2d(self.conv2(F.relu(self.norm2(main))), 2)  # B×outputs×side/2×side/2
        return main + self.shortcut(F.avg_pool2d(x, 2))


def twice(x: Tensor) -> Tensor:
    """Double the side by repeating pixels."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
