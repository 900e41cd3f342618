"""In what numbers networks compute."""

import torch

KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """The numbers that networks compute in; weights, losses and penalties stay in fp32.

    Args:
        name: fp32, bf16 or fp16
        device: where they compute

    Paper: Micikevicius et al., "Mixed Precision Training", 2018, https://arxiv.org/abs/1710.03740
    """

    def __init__(self, name: str, device: torch.device):
        self.name, self.device = name, device

    def __eq__(self, other: object) -> bool:
        return other == self.name if isinstance(other, str) else NotImplemented

    def autocast(self) -> torch.autocast:
        """Let what is computed inside use these numbers."""
        kind = KINDS.get(self.name)
        return torch.autocast(self.device.type, kind or torch.bfloat16, enabled=kind is not None)

    def scaler(self) -> torch.amp.GradScaler | None:
        """What keeps the small gradients of fp16 from vanishing: one for each player; none where none is needed."""
        return torch.amp.GradScaler(self.device.type) if self.name == "fp16" else None
