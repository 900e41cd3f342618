"""A player: a network, what moves it, and what happens after it moved."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Player:
    """One side of a game.

    Args:
        network: what the player is
        optimizer: what moves its weights
        hooks: what happens to the network after each move
    """

    def __init__(self, network: nn.Module, optimizer: Optimizer, hooks: Sequence[Any] = ()):
        self.network = network
        self.optimizer = optimizer
        self.hooks = list(hooks)
        for hook in self.hooks:
            if hasattr(hook, "attach"):  # a third party's may only have `apply`
                hook.attach(network)

    def __call__(self, *inputs: Any) -> Any:
        """Ask the network."""
        return self.network(*inputs)

    def move(self, loss: Tensor) -> None:
        """Take one step down the loss, then let the hooks do their work."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        for hook in self.hooks:
            hook.apply(self.network)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let gradients pass through the network while its own weights get none."""
        groups = self.optimizer.param_groups
        trained = [weight for group in groups for weight in group["params"] if weight.requires_grad]
        for weight in trained:
            weight.requires_grad_(False)
        try:
            yield
        finally:
            for weight in trained:
                weight.requires_grad_(True)

    @property
    def average(self) -> nn.Module | None:
        """The moving average of the network, where a hook keeps one."""
        found = (getattr(hook, "average", None) for hook in self.hooks)
        return next((average for average in found if average is not None), None)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the weights of the network and of its average."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "hooks": [hook.state_dict() if hasattr(hook, "state_dict") else {} for hook in self.hooks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        self.optimizer.load_state_dict(state["optimizer"])
        for weight, kept in self.optimizer.state.items():
            for name, value in kept.items():
                if (
                    isinstance(value, Tensor) and value.shape == weight.shape
                ):  # laid out in memory as the weight is
                    kept[name] = torch.empty_like(weight, requires_grad=False).copy_(value)
        for hook, saved in zip(self.hooks, state["hooks"], strict=True):
            if saved:
                hook.load_state_dict(saved)


def default_optimizer(network: nn.Module) -> Optimizer:
    """What moves a network when nothing else was chosen."""
    return torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9))
