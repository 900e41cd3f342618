"""What the turns of several games have in common."""

from typing import Any

import torch
from torch import Tensor

from ganzo.game import Game
from ganzo.nn.batch import ask, each


def fakes(game: Game, start: Tensor, labels: Tensor | None, with_graph: bool) -> Any:
    """What the generator makes of noise or of inputs; without a graph for the discriminator alone."""
    with torch.set_grad_enabled(with_graph), game.autocast():
        fake = ask(game.generator.ask, start, labels)
    return each(Tensor.float, fake)


def move_discriminator(game: Game, real: Tensor, fake: Any, labels: Tensor | None) -> Tensor:
    """The discriminator's move on real and fake images of the same labels; returns its loss, penalties included."""
    fake = each(Tensor.detach, fake)
    with game.autocast(), game.critic.about(labels):
        loss = game.loss.for_discriminator(real, fake, labels)  # ()
    penalty = game.penalty(real, fake, labels)
    if isinstance(penalty, Tensor) or penalty:  # 0 where none is due
        loss = loss + penalty
    return game.discriminator.move(loss)  # zero_grad, backward, step, hooks


def mean(losses: list[Tensor]) -> Tensor:
    """The mean loss of the parts of a batch; mostly there is one."""
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean()
