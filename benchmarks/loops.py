"""The loop that Ganzo is measured against: one page of plain PyTorch with every lever that Ganzo has.

Nothing here comes from Ganzo but the two networks and the numbers of the recipe: indexing, encoding, formulas,
penalties, moves and averages are written by hand. Levers: whole batches by index out of 8-bit memory, bf16 autocast,
channels_last (the networks come in it), fused Adam, no graph for the discriminator's fakes or the same fakes for both
players, a frozen discriminator in the generator's turn, penalties now and then and in fp32, the average by one
`foreach` call, weights listed once, and nothing that waits for a number inside the loop.
"""

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

entropy = F.binary_cross_entropy_with_logits  # as quick as softplus, and equal to Ganzo's to the last bit
# The discriminator's loss from logits of real and fake, and the generator's from logits of fake and, if it looks, real.
LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Any], Tensor]]] = {
    "gan": (
        lambda real, fake: entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake)),
        lambda fake, real: entropy(fake, torch.ones_like(fake)),
    ),
    "hinge": (
        lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        lambda fake, real: -fake.mean(),
    ),
    "relativistic": (
        lambda real, fake: F.softplus(fake - real).mean(),
        lambda fake, real: F.softplus(real - fake).mean(),
    ),
    "wgan": (lambda real, fake: fake.mean() - real.mean(), lambda fake, real: -fake.mean()),
}
PAIRED = ("relativistic",)  # the generator's loss looks at real images too


@dataclasses.dataclass(frozen=True)
class Work:
    """What a turn has to do.

    Args:
        loss: a formula of `LOSSES`
        batch_size: real images in a batch
        state_size: numbers per row of noise
        adam: settings of `torch.optim.Adam` for `generator` and `discriminator`
        bf16: compute under bf16 autocast
        reuse_fakes: let the generator's first move judge the discriminator's last fakes
        discriminator_moves: batches, and moves of the discriminator, in a turn
        generator_moves: moves of the generator in a turn
        r1: weight and interval of the penalty on real images
        r2: weight and interval of the penalty on fakes
        slope: weight and interval of the gradient penalty of WGAN-GP
        ema: decay of the generator's average, and whether it starts low
    """

    loss: str
    batch_size: int
    state_size: int
    adam: Mapping[str, Mapping[str, Any]]
    bf16: bool = False
    reuse_fakes: bool = False
    discriminator_moves: int = 1
    generator_moves: int = 1
    r1: tuple[float, int] | None = None
    r2: tuple[float, int] | None = None
    slope: tuple[float, int] | None = None
    ema: tuple[float, bool] | None = None


class TunedLoop:
    """Trains two networks on images that lie in memory.

    Args:
        work: what a turn has to do
        generator: noise, and labels where there are any, to images
        discriminator: images, and labels where there are any, to logits
        images: uint8 N×C×H×W
        labels: int64 N, or None
        random: generators that `data`, `noise` and `random` (places between images) are drawn from
    """

    def __init__(
        self,
        work: Work,
        generator: nn.Module,
        discriminator: nn.Module,
        images: Tensor,
        labels: Tensor | None,
        random: Mapping[str, torch.Generator],
    ):
        self.work, self.random, self.images, self.labels = work, random, images, labels
        self.generator, self.discriminator = generator, discriminator
        self.g_weights, self.d_weights = list(generator.parameters()), list(discriminator.parameters())
        self.g_adam = torch.optim.Adam(self.g_weights, fused=True, **work.adam["generator"])
        self.d_adam = torch.optim.Adam(self.d_weights, fused=True, **work.adam["discriminator"])
        self.d_loss, self.g_loss = LOSSES[work.loss]
        self.average = None
        if work.ema is not None:
            self.average = copy.deepcopy(generator).eval().requires_grad_(False)
            self.average_weights = list(self.average.parameters())
            self.average_buffers, self.g_buffers = list(self.average.buffers()), list(generator.buffers())
        self.order, self.position = images.new_empty(0, dtype=torch.long), 0
        self.turns = self.averaged = 0

    def play(self, turns: int) -> dict[str, float]:
        """Play some turns; returns the mean losses."""
        work = self.work
        d_total, g_total = torch.zeros((), dtype=torch.double), torch.zeros((), dtype=torch.double)
        for _ in range(turns):
            self.start_pass_if_over()
            for move in range(work.discriminator_moves):
                real, labels = self.next_batch()
                keep = work.reuse_fakes and move == work.discriminator_moves - 1
                with contextlib.nullcontext() if keep else torch.no_grad():
                    fake = self.fakes(labels)
                with self.autocast():
                    loss = self.d_loss(self.judge(real, labels), self.judge(fake.detach(), labels))
                for penalty in self.penalties(real, fake.detach(), labels):
                    loss = loss + penalty
                self.d_adam.zero_grad(set_to_none=True)
                loss.backward()
                self.d_adam.step()
            d_total += loss.detach()

            for weight in self.d_weights:
                weight.requires_grad_(False)
            for move in range(work.generator_moves):
                if move > 0 or not work.reuse_fakes:
                    fake = self.fakes(labels)
                with self.autocast():
                    told = self.judge(fake, labels)
                    loss = self.g_loss(told, self.judge(real, labels) if work.loss in PAIRED else None)
                self.g_adam.zero_grad(set_to_none=True)
                loss.backward()
                self.g_adam.step()
                self.follow()
            for weight in self.d_weights:
                weight.requires_grad_(True)
            g_total += loss.detach()
            self.turns += 1
        return {"generator": g_total.item() / turns, "discriminator": d_total.item() / turns}

    def start_pass_if_over(self) -> None:
        """Draw a new order when the images that are left do not make a turn."""
        if self.position + self.work.discriminator_moves * self.work.batch_size > len(self.order):
            self.order, self.position = torch.randperm(len(self.images), generator=self.random["data"]), 0

    def next_batch(self) -> tuple[Tensor, Tensor | None]:
        """The next images, in [-1, 1], with their labels."""
        index = self.order[self.position : self.position + self.work.batch_size]
        self.position += self.work.batch_size
        real = self.images.index_select(0, index).float().div_(127.5).sub_(1)
        return real, None if self.labels is None else self.labels.index_select(0, index)

    def autocast(self) -> torch.autocast:
        """Compute in bf16 where the work says so."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.work.bf16)

    def fakes(self, labels: Tensor | None) -> Tensor:
        """A batch of fakes with these labels."""
        z = torch.randn(self.work.batch_size, self.work.state_size, generator=self.random["noise"])
        with self.autocast():
            fake = self.generator(z) if labels is None else self.generator(z, labels)
        return fake.float()

    def judge(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Logits in fp32."""
        logits = self.discriminator(images) if labels is None else self.discriminator(images, labels)
        return logits.float()

    def penalties(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Iterator[Tensor]:
        """The penalties that are due in this turn, in fp32, each weighed up by its interval."""
        work = self.work
        if work.r1 is not None and self.turns % work.r1[1] == 0:
            yield work.r1[1] * work.r1[0] / 2 * self.steepness(real, labels).mean()
        if work.r2 is not None and self.turns % work.r2[1] == 0:
            yield work.r2[1] * work.r2[0] / 2 * self.steepness(fake, labels).mean()
        if work.slope is not None and self.turns % work.slope[1] == 0:
            place = torch.rand(len(real), 1, 1, 1, generator=self.random["random"])
            slope = (self.steepness(torch.lerp(fake, real, place), labels) + 1e-12).sqrt()
            yield work.slope[1] * work.slope[0] * (slope - 1).square().mean()

    def steepness(self, points: Tensor, labels: Tensor | None) -> Tensor:
        """The squared norm of the discriminator's gradient at each point."""
        points = points.detach().requires_grad_(True)
        logits = self.judge(points, labels)
        (gradient,) = torch.autograd.grad(logits.sum(), points, create_graph=True)
        return gradient.square().sum((1, 2, 3))

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the generator."""
        if self.average is None:
            return
        decay, ramp = self.work.ema
        decay = min(decay, (1 + self.averaged) / (10 + self.averaged)) if ramp else decay
        torch._foreach_lerp_(self.average_weights, self.g_weights, 1 - decay)
        if self.g_buffers:
            torch._foreach_copy_(self.average_buffers, self.g_buffers)
        self.averaged += 1
