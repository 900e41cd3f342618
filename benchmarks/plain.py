"""The plain loop: the same training as people first write it, with nothing done for speed.

fp32 and B×C×H×W in memory, torch's default Adam, a graph through the generator for fakes that only the discriminator
judges, gradients into the discriminator's weights in the generator's move, new fakes for it, each average on its own,
and the losses read with `.item()` in every turn. It is given its batches as the tuned loop is, by index out of 8-bit
memory, so that no slow reading of files is in the ratio.
"""

from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.loops import PAIRED, Loop
from benchmarks.work import Work


class PlainLoop(Loop):
    """Trains two networks; what it learns is what the tuned loop learns, to rounding, where that draws fakes anew."""

    def __init__(self, work: Work, *parts: Any):
        super().__init__(work, *parts)
        assert not work.bf16, "the plain loop knows fp32 alone"
        self.g_adam = torch.optim.Adam(self.generator.parameters(), **work.adam["generator"])
        self.d_adam = torch.optim.Adam(self.discriminator.parameters(), **work.adam["discriminator"])
        self.log: list[tuple[float, float]] = []  # of the generator and of the discriminator, turn by turn

    def play(self, turns: int) -> None:
        """Play some turns."""
        for _ in range(turns):
            self.start_pass_if_over()
            for move in range(self.work.discriminator_moves):
                if move < self.work.batches:
                    real, labels, start = self.next_batch()
                fake = self.fakes(labels, start)
                pair = fake if start is None else torch.cat([start, fake], 1)
                self.d_adam.zero_grad()
                d_loss = self.d_loss(self.judge(real, labels), self.judge(pair.detach(), labels))
                for penalty in self.penalties(real, pair.detach(), labels):
                    d_loss = d_loss + penalty
                d_loss.backward()
                self.d_adam.step()
            for _ in range(self.work.generator_moves):
                fake = self.fakes(labels, start)
                pair = fake if start is None else torch.cat([start, fake], 1)
                self.g_adam.zero_grad()
                g_loss = self.g_loss(
                    self.judge(pair, labels), self.judge(real, labels) if self.work.loss in PAIRED else None
                )
                if start is not None:
                    g_loss = g_loss + self.work.l1 * F.l1_loss(fake, real[:, start.shape[1] :])
                g_loss.backward()
                self.g_adam.step()
                self.follow()
            self.log.append((g_loss.item(), d_loss.item()))
            self.turns += 1

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the generator."""
        if self.average is None:
            return
        for mean, weight in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(weight, 1 - self.decay())
        for mean, buffer in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            mean.copy_(buffer)
        self.averaged += 1
