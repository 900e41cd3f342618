"""Residual blocks that double or halve the side of images: two as in WGAN-GP's ResNet, two as in SNGAN's."""

from math import sqrt

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
    """Halves the sides: B×inputs×h×w to B×outputs×h/2×w/2, with layer norm over whole samples, or none."""

    def __init__(self, inputs: int, outputs: int, sides: tuple[int, int], normalize: bool = True):
        super().__init__()
        shape = [inputs, *sides]
        self.shortcut = xavier(nn.Conv2d(inputs, outputs, 1))
        self.norm1 = nn.LayerNorm(shape) if normalize else nn.Identity()
        self.conv1 = he(nn.Conv2d(inputs, inputs, 3, padding=1, bias=not normalize))
        self.norm2 = nn.LayerNorm(shape) if normalize else nn.Identity()
        self.conv2 = he(nn.Conv2d(inputs, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(F.relu(self.norm1(x)))
        main = F.avg_pool2d(self.conv2(F.relu(self.norm2(main))), 2)  # B×outputs×h/2×w/2
        return main + self.shortcut(F.avg_pool2d(x, 2))


class EvenUpBlock(nn.Module):
    """Doubles the side at the same width: B×channels×h×w to B×channels×2h×2w, with batch norm."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = xavier(nn.Conv2d(channels, channels, 3, padding=1))
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = xavier(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv1(twice(F.relu(self.norm1(x))))
        return self.conv2(F.relu(self.norm2(main))) + twice(x)


class PlainBlock(nn.Module):
    """Without norms: B×inputs×h×w to B×outputs×h×w, or half as large; what stays as it is has no layer in its shortcut.

    Args:
        inputs: channels that come
        outputs: channels that go
        halve: whether the sides are halved
        bend: whether a ReLU stands first; not where images come
    """

    def __init__(self, inputs: int, outputs: int, halve: bool = False, bend: bool = True):
        super().__init__()
        self.halve, self.bend = halve, bend
        self.conv1 = xavier(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = xavier(nn.Conv2d(outputs, outputs, 3, padding=1))
        same = inputs == outputs and not halve
        self.shortcut = nn.Identity() if same else xavier(nn.Conv2d(inputs, outputs, 1), sqrt(2))

    def forward(self, x: Tensor) -> Tensor:
        main = self.conv2(F.relu(self.conv1(F.relu(x) if self.bend else x)))
        if not self.halve:
            return main + self.shortcut(x)
        return F.avg_pool2d(main, 2) + self.shortcut(F.avg_pool2d(x, 2))


def twice(x: Tensor) -> Tensor:
    """Double the side by repeating pixels."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
