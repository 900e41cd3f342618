"""Networks compiled by torch's own compiler, for the passes of training."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ganzo.errors import RunError, is_memory
from ganzo.nn.say import tell


class Compiled:
    """A network whose passes are compiled, with the weights of the network itself.

    What cannot be compiled runs as it is, and that is said once. A gradient of a gradient cannot pass through compiled
    code, so penalties ask the network itself.

    Args:
        network: what is compiled
        cuda_graphs: whether its kernels are recorded once and replayed, on a CUDA device
    """

    def __init__(self, network: nn.Module, cuda_graphs: bool = False):
        self.network = network
        mode = "reduce-overhead" if cuda_graphs else None
        self.run: Callable[..., Any] = torch.compile(network, dynamic=False, mode=mode)

    @property
    def forward(self) -> Callable[..., Any]:
        """The network's own, which says what it takes."""
        return self.network.forward

    def __call__(self, *inputs: Any) -> Any:
        """Ask the network."""
        try:
            return self.run(*inputs)
        except torch._dynamo.exc.TorchDynamoException as error:
            name, reason = type(self.network).__name__, str(error).strip().splitlines()[0][:200]
            tell(f"warning: `{name}` cannot be compiled ({reason}); it runs as it is.")
            self.run = self.network
            return self.network(*inputs)


def explain(network: Any, error: RuntimeError) -> None:
    """Say in one sentence that a way back failed where it may be the compiler's fault.

    Raises:
        RunError: where the network is compiled, and memory is not what lacks
    """
    if isinstance(network, Compiled) and not is_memory(error):
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise RunError(
            f"The way back through compiled networks fails ({reason}); leave `--compile` out. If it fails without too,"
            " the fault is not the compiler's."
        ) from error


@functools.cache
def can_compile(device: torch.device) -> bool:
    """Whether the compiler works on a device: it is tried on a sum."""
    import torch._dynamo  # not loaded before it is asked for

    one = torch.ones(2, device=device)
    try:
        return bool((torch.compile(lambda x: x + 1, dynamic=False)(one) == 2).all())
    except Exception as error:  # a compiler of C++ or Triton that is missing or broken raises almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        tell(f"warning: `--compile` has no effect: the compiler does not work here ({reason}).")
        return False


def graphs() -> int:
    """How many graphs were compiled by this process so far; after the first turns it should stand still."""
    import torch._dynamo.utils

    return int(torch._dynamo.utils.counters["stats"]["unique_graphs"])
