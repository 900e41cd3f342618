"""Whether the weights of all processes of a run are still the same."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzo.errors import RunError
from ganzo.nn.ranks import everyone, talking

PIECE = 1 << 20  # numbers that are looked at at once
FACTOR = 0x1E3779B97F4A7C15  # an odd one, whose products fill all bits
WHOLE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # numbers by their bytes


def refuse_drift(networks: Mapping[str, nn.Module]) -> None:
    """See that the weights of all ranks are the same, bit for bit.

    Raises:
        RunError: where they are not
    """
    if not talking():
        return
    sums = everyone({name: checksums(network) for name, network in networks.items()})
    for rank, theirs in enumerate(sums):
        for name, found in theirs.items():
            differing = [key for key, value in found.items() if value != sums[0][name].get(key)]
            if differing:
                raise RunError(
                    f"All processes of a run must have the same weights, and those of rank {rank} have drifted from"
                    f" those of rank 0 (first in the {name}, `{differing[0]}`): some part draws or computes for itself."
                    " What was saved before is untouched; go on with `--restore` in a single process, or leave that"
                    " part out."
                )


@torch.no_grad()
def checksums(network: nn.Module) -> dict[str, int]:
    """A number for each weight, which follows from its bits alone, by name."""
    weights = dict(network.named_parameters())
    sums = [checksum(weight.detach()) for weight in weights.values()]
    return dict(zip(weights, torch.stack(sums).tolist() if sums else [], strict=True))


def checksum(weight: Tensor) -> Tensor:
    """The bits of a weight as whole numbers, each times a factor of its place, added up."""
    found = torch.zeros((), dtype=torch.int64, device=weight.device)
    factors = torch.arange(min(weight.numel(), PIECE), device=weight.device).mul_(FACTOR).bitwise_or_(1)
    for piece in weight.view(WHOLE[weight.element_size()]).flatten().split(PIECE):
        found = found * FACTOR + (piece * factors[: len(piece)]).sum()
    return found
