"""What a hand-written loop has to do, and which levers it pulls."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from torch import Tensor


class Examples(NamedTuple):
    """What is learned from: uint8 N×C×H×W, labels N where there are any, and in translations the targets."""

    images: Tensor
    labels: Tensor | None = None
    targets: Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Work:
    """What a turn has to do.

    Args:
        loss: a formula of `LOSSES`
        batch_size: real images in a batch
        state_size: numbers per row of noise
        adam: settings of `torch.optim.Adam` for `generator` and `discriminator`
        device: where the networks lie
        bf16: compute under bf16 autocast
        reuse_fakes: let the generator's first move judge the discriminator's last fakes
        one_pass: let the discriminator judge real and fake images in one batch
        discriminator_moves: moves of the discriminator in a turn, each with a batch of its own but in translations
        generator_moves: moves of the generator in a turn
        r1: weight and interval of the penalty on real images
        r2: weight and interval of the penalty on fakes
        slope: weight and interval of the gradient penalty of WGAN-GP
        ema: decay of the generator's average, and whether it starts low
        l1: in translations, weight of the distance between output and target
    """

    loss: str
    batch_size: int
    state_size: int
    adam: Mapping[str, Mapping[str, Any]]
    device: str = "cpu"
    bf16: bool = False
    reuse_fakes: bool = False
    one_pass: bool = False
    discriminator_moves: int = 1
    generator_moves: int = 1
    r1: tuple[float, int] | None = None
    r2: tuple[float, int] | None = None
    slope: tuple[float, int] | None = None
    ema: tuple[float, bool] | None = None
    l1: float | None = None

    @property
    def batches(self) -> int:
        """Batches that a turn takes: a translation makes all its moves with one."""
        return self.discriminator_moves if self.l1 is None else 1


@dataclasses.dataclass(frozen=True)
class Levers:
    """What a tuned loop does to be quick, as far as it is no option of Ganzo: all on, to be switched off one by one.

    Args:
        adam: how the optimizer goes through the weights
        without_graph: make no graph for fakes that only the discriminator judges
        frozen: let the discriminator's weights get no gradients in the generator's turn
        penalty_in_fp32: leave bf16 in penalties (slower, and more exact)
    """

    adam: Literal["fused", "foreach", "loop"] = "fused"
    without_graph: bool = True
    frozen: bool = True
    penalty_in_fp32: bool = True

    def settings(self) -> dict[str, bool]:
        """What `torch.optim.Adam` is told."""
        return {name: name == self.adam for name in ("fused", "foreach")}
