"""A player: a network, what moves it, and what happens after it moved."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganzo.nn import ranks
from ganzo.nn.compiled import explain
from ganzo.nn.in_step import weights_of


class Player:
    """One side of a game.

    Args:
        network: what the player is
        optimizer: what moves its weights
        hooks: what happens to the network after each move
        parts: losses, each of a part of a batch, whose gradients are gathered for one move
        scaler: what scales losses, where gradients in small numbers would vanish
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        hooks: Sequence[Any] = (),
        *,
        parts: int = 1,
        scaler: torch.amp.GradScaler | None = None,
    ):
        self.network = network
        self.ask: Any = network  # what training asks: the network, or a compiled form of it
        self.optimizer = optimizer
        self.hooks = list(hooks)
        self.parts, self.gathered = parts, 0
        self.scaler = scaler
        for hook in self.hooks:
            if hasattr(hook, "attach"):  # a third party's may only have `apply`
                hook.attach(network)

    def __call__(self, *inputs: Any) -> Any:
        """Ask the network."""
        return self.ask(*inputs)

    def move(self, loss: Tensor) -> Tensor:
        """Take one step down the loss, then let the hooks do their work; returns the loss without its graph.

        Where a batch comes in parts, each with a loss of its own, gradients add up, and the last one brings the step.
        """
        if self.gathered == 0:
            self.optimizer.zero_grad(set_to_none=True)
        down = loss if self.parts == 1 else loss / self.parts
        down = down if self.scaler is None else self.scaler.scale(down)
        try:
            with ranks.talk(among_others=True):
                down.backward()  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            explain(self.ask, error)
            raise
        self.gathered = (self.gathered + 1) % self.parts
        if self.gathered == 0:
            self._step()
        return loss.detach()

    def _step(self) -> None:
        ranks.average_gradients(weights_of(self.optimizer))
        if self.scaler is None:
            self.optimizer.step()
        else:  # it leaves a step out where a gradient is not finite
            self.scaler.step(self.optimizer)
            self.scaler.update()
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
        } | ({} if self.scaler is None else {"scaler": self.scaler.state_dict()})

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        self.optimizer.load_state_dict(state["optimizer"])
        for weight, kept in self.optimizer.state.items():
            for name, value in kept.items():
                # laid out in memory as the weight is
                if isinstance(value, Tensor) and value.shape == weight.shape:
                    kept[name] = torch.empty_like(weight, requires_grad=False).copy_(value)
        for hook, saved in zip(self.hooks, state["hooks"], strict=True):
            if saved:
                hook.load_state_dict(saved)
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])


def default_optimizer(network: nn.Module) -> Optimizer:
    """What moves a network when nothing else was chosen."""
    return torch.optim.Adam(network.parameters(), lr=1e-4, betas=(0.0, 0.9))
