"""Game `translate`."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzo.game import Game
from ganzo.game.moves import fakes, mean, move_discriminator
from ganzo.nn.batch import Batch
from ganzo.nn.examples import as_pair
from ganzo.registry import RegistryError, accepts, register


@register("game", "translate")
class TranslateGame(Game):
    """Turns images into images: the discriminator learns to tell input with target from input with output.

    The discriminator sees pairs, the channels of the input before those of the target or output, so that every loss,
    penalty and augmentation works as on images. One minibatch feeds all moves of a turn.

    Args:
        generator_iterations: moves of the generator in one turn
        discriminator_iterations: moves of the discriminator in one turn, with the same minibatch
        reuse_fakes: let the generator's first move judge the outputs of the discriminator's last one again instead of
            making new ones: one pass through the generator less in each turn

    Paper: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017,
        https://arxiv.org/abs/1611.07004, Eq. 1
    """

    translates = True

    def __init__(self, *parts: Any, reuse_fakes: bool = False, **named: Any):
        super().__init__(*parts, **named)
        self.reuse_fakes = reuse_fakes
        # whether the generator's loss looks at real pairs too
        self.paired = accepts(self.loss.for_generator, "real")
        self.compares = getattr(self.loss, "translates", False)  # whether it looks at the targets

    @property
    def batches_per_turn(self) -> int:
        return self.accumulate

    def step(self, batches: Iterator[Batch], noise: Any) -> dict[str, Tensor]:
        parts, made = self.parts(batches), list[Any]()
        reals = [torch.cat([batch.image, wanted(batch)], 1) for batch in parts]  # (B, C+K, H, W)
        for turn in range(self.discriminator_iterations):
            keep, d_losses = self.reuse_fakes and turn == self.discriminator_iterations - 1, list[Tensor]()
            for batch, real in zip(parts, reals, strict=True):
                fake = self.pair(batch, with_graph=keep)  # (B, C+K, H, W)
                d_losses.append(move_discriminator(self, real, fake, batch.label))
                made += [fake] if keep else []

        for turn in range(self.generator_iterations):
            g_losses = list[Tensor]()
            with self.discriminator.frozen():  # gradients pass through; its weights get none
                for part, batch in enumerate(parts):
                    again = self.reuse_fakes and turn == 0
                    fake = made[part] if again else self.pair(batch, with_graph=True)
                    seen: dict[str, Tensor | None] = {"real": reals[part]} if self.paired else {}
                    asked = (batch.target, batch.label) if self.compares else (batch.label,)
                    with self.autocast(), self.critic.about(batch.label):
                        g_loss = self.loss.for_generator(fake, *asked, **seen)  # ()
                    g_losses.append(self.generator.move(g_loss))
        return {"generator": mean(g_losses), "discriminator": mean(d_losses)}

    def pair(self, batch: Batch, with_graph: bool) -> Tensor:
        """The inputs with what the generator makes of them; refuses what has not the shape of the targets."""
        output, target = fakes(self, batch.image, batch.label, with_graph), wanted(batch)
        if not isinstance(output, Tensor) or output.shape != target.shape:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise RegistryError(
                f"In a translation the generator must make images of the targets' shape, {tuple(target.shape)};"
                f" `{type(self.generator.network).__name__}` made {shape}. Choose another generator, as `u-gen`."
            )
        return torch.cat([batch.image, output], 1)

    def _seen(self, batch: Batch) -> Batch:
        return super()._seen(as_pair(batch))


def wanted(batch: Batch) -> Tensor:
    """The targets of a batch of pairs."""
    assert batch.target is not None, "`as_pair` sees to it"
    return batch.target
