"""Between stored pixels (uint8) and what the players see (float32 in [-1, 1])."""

import torch
from torch import Tensor


def to_float(stored: Tensor, device: torch.device | str | None = None) -> Tensor:
    """Images as the players see them, on the device; float images pass through."""
    images = stored.to(device, non_blocking=True) if device is not None else stored
    return images if images.is_floating_point() else images.to(torch.float32).div_(127.5).sub_(1.0)


def to_stored(images: Tensor) -> Tensor:
    """Images as they are stored: uint8, values outside [-1, 1] clamped."""
    return images.detach().float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
