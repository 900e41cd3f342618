"""Augmentation `diffaugment`."""

import re

import torch
from torch import Tensor

from ganzo.augment import Augment
from ganzo.nn.draw import integers, per_sample, uniform
from ganzo.registry import OptionError, nearest, register

POLICIES = ("color", "translation", "cutout")


@register("augment", "diffaugment")
class DiffAugment(Augment):
    """Colours, shifts and holes, drawn anew for each real and fake image, so that few images are not learnt by heart.

    Args:
        policy: what is changed, in this order: color, translation, cutout, joined by commas or `+`; empty for nothing
        random: where the changes are drawn from; none for torch's own generator

    Shape: images B×C×H×W to images of the same shape; colours may leave [-1, 1].

    Paper: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020, https://arxiv.org/abs/2006.10738
    """

    def __init__(self, *, policy: str = "color,translation,cutout", random: torch.Generator | None = None):
        self.policy = [name for name in re.split(r"[,+\s]+", policy) if name]
        self.random = random
        for name in self.policy:
            if name not in POLICIES:
                raise OptionError(
                    f"`policy` of `diffaugment` must be made of {', '.join(POLICIES)}; got `{name}`."
                    + (nearest(name, POLICIES) or " Leave it out.")
                )

    def __call__(self, images: Tensor) -> Tensor:
        changes = {"color": self.color, "translation": self.translation, "cutout": self.cutout}
        for name in self.policy:
            images = changes[name](images)
        return images

    def color(self, images: Tensor) -> Tensor:
        """Shift the brightness by up to 0.5, scale the saturation by 0 to 2 and the contrast by 0.5 to 1.5."""
        brightness, saturation, contrast = uniform((3, *per_sample(images)), images, self.random, batch=1)
        images = images + (brightness - 0.5)
        grey = images.mean(dim=1, keepdim=True)  # B×1×H×W
        images = torch.lerp(grey, images, 2 * saturation)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)  # B×1×1×1
        return torch.lerp(mean, images, contrast + 0.5)

    def translation(self, images: Tensor) -> Tensor:
        """Shift by up to an eighth of the side; what comes in from outside is zero."""
        b, c, h, w = images.shape
        rows, inside_rows = self._shifted(images, h)  # B×h
        columns, inside_columns = self._shifted(images, w)  # B×w
        # B×hw: where each pixel is taken from
        pixels = (rows[:, :, None] * w + columns[:, None, :]).flatten(1)
        moved = images.flatten(2).gather(2, pixels[:, None].expand(-1, c, -1)).reshape(b, c, h, w)
        return moved * (inside_rows[:, None, :, None] & inside_columns[:, None, None, :])

    def cutout(self, images: Tensor) -> Tensor:
        """Make a rectangle of half the side zero; it may reach over the edge."""
        _, _, h, w = images.shape
        hole = self._hole(images, h)[:, None, :, None] & self._hole(images, w)[:, None, None, :]
        return images * ~hole

    def _shifted(self, images: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Where each place of a shifted axis is taken from, and whether that is inside."""
        most = int(side / 8 + 0.5)
        shift = integers(-most, most, (len(images), 1), images, self.random)
        source = torch.arange(side, device=images.device) + shift
        return source.clamp(0, side - 1), (source >= 0) & (source < side)

    def _hole(self, images: Tensor, side: int) -> Tensor:
        """The places of an axis that fall into the hole."""
        length = int(side / 2 + 0.5)
        start = integers(0, side - length % 2, (len(images), 1), images, self.random) - length // 2
        place = torch.arange(side, device=images.device)
        return (place >= start) & (place < start + length)
