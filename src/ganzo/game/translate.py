"""Game `translate`."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzo.game import Game
from ganzo.game.moves import fakes, move_discriminator
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
        self.paired = accepts(
            self.loss.for_generator, "real"
        )  # whether the generator's loss looks at real pairs too

    @property
    def batches_per_turn(self) -> int:
        return 1

    def step(self, batches: Iterator[Batch], noise: Any) -> dict[str, Tensor]:
        batch = next(batches)
        start, target, labels = batch.image, batch.target, batch.label  # (B, C, H, W), (B, K, H, W), (B,)
        assert target is not None, "`as_pair` sees to it"
        real = torch.cat([start, target], 1)  # (B, C+K, H, W)
        for turn in range(self.discriminator_iterations):
            keep = self.reuse_fakes and turn == self.discriminator_iterations - 1
            fake = self.pair(start, target, labels, with_graph=keep)  # (B, C+K, H, W)
            d_loss = move_discriminator(self, real, fake, labels)

        seen: dict[str, Tensor | None] = {"real": real} if self.paired else {}
        wanted = (target, labels) if getattr(self.loss, "translates", False) else (labels,)
        for turn in range(self.generator_iterations):
            with self.discriminator.frozen():  # gradients pass through; its weights get none
                if turn > 0 or not self.reuse_fakes:
                    fake = self.pair(start, target, labels, with_graph=True)
                with self.autocast(), self.critic.about(labels):
                    g_loss = self.loss.for_generator(fake, *wanted, **seen)  # ()
                self.generator.move(g_loss)
        return {"generator": g_loss, "discriminator": d_loss}

    def pair(self, start: Tensor, target: Tensor, labels: Tensor | None, with_graph: bool) -> Tensor:
        """The inputs with what the generator makes of them; refuses what has not the shape of the targets."""
        output = fakes(self, start, labels, with_graph)
        if not isinstance(output, Tensor) or output.shape != target.shape:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise RegistryError(
                f"In a translation the generator must make images of the targets' shape, {tuple(target.shape)};"
                f" `{type(self.generator.network).__name__}` made {shape}. Choose another generator, as `u-gen`."
            )
        return torch.cat([start, output], 1)

    def _seen(self, batch: Batch) -> Batch:
        return super()._seen(as_pair(batch))
