"""Whether the weights of all processes of a run are still the same."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzo.errors import RunError
from ganzo.nn.ranks import everyone, talking

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
    sums = [bits(weight).sum(dtype=torch.int64) for weight in weights.values()]
    return dict(zip(weights, torch.stack(sums).tolist() if sums else [], strict=True))


def bits(weight: Tensor) -> Tensor:
    """The bits of a weight as whole numbers."""
    return weight.detach().view(WHOLE[weight.element_size()])
