"""Game `standard`."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganzo.game import Game
from ganzo.game.moves import fakes, mean, move_discriminator
from ganzo.nn.batch import Batch
from ganzo.registry import accepts, register


@register("game", "standard", default=True)
class StandardGame(Game):
    """The game of the first GAN: the discriminator learns to tell real from fake, the generator to be taken for real.

    Args:
        reuse_fakes: let the generator's first move judge the fakes of the discriminator's last one again instead of
            drawing new ones: one pass through the generator less in each turn

    Paper: Goodfellow et al., "Generative Adversarial Nets", 2014, Algorithm 1, https://arxiv.org/abs/1406.2661

    Differs: the discriminator moves first, and fakes are drawn with the labels of the real batch.
    """

    def __init__(self, *parts: Any, reuse_fakes: bool = False, **named: Any):
        super().__init__(*parts, **named)
        self.reuse_fakes = reuse_fakes
        # whether the generator's loss looks at real images too
        self.paired = accepts(self.loss.for_generator, "real")

    def step(self, batches: Iterator[Batch], noise: Any) -> dict[str, Tensor]:
        for turn in range(self.discriminator_iterations):
            parts, made, d_losses = self.parts(batches), list[Any](), list[Tensor]()
            keep = self.reuse_fakes and turn == self.discriminator_iterations - 1
            for batch in parts:
                fake = self.fakes(noise, batch, with_graph=keep)  # (B, C, H, W)
                d_losses.append(move_discriminator(self, batch.image, fake, batch.label))
                made.append(fake if keep else None)

        for turn in range(self.generator_iterations):
            g_losses = list[Tensor]()
            with self.discriminator.frozen():  # gradients pass through; its weights get none
                for batch, fake in zip(parts, made, strict=True):
                    if turn > 0 or not self.reuse_fakes:
                        fake = self.fakes(noise, batch, with_graph=True)
                    seen = {"real": batch.image} if self.paired else {}
                    with self.autocast(), self.critic.about(batch.label):
                        g_loss = self.loss.for_generator(fake, batch.label, **seen)  # ()
                    g_losses.append(self.generator.move(g_loss))
        return {"generator": mean(g_losses), "discriminator": mean(d_losses)}

    def fakes(self, noise: Any, batch: Batch, with_graph: bool) -> Any:
        """Fake images with the labels of a real batch; without a graph for the discriminator alone."""
        z = noise.next(len(batch), batch.label)  # (B, S)
        return fakes(self, z, batch.label, with_graph)
