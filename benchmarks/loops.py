"""A hand-written, tuned training loop: what one step can cost.

It trains Ganzo's networks, but uses nothing else of Ganzo: data, noise, encoding, formulas, penalties, moves and
averages are written by hand. Levers: whole batches by index out of 8-bit memory, bf16 autocast, channels_last (the
networks come in it), fused Adam, real and fake images judged in one pass where that changes nothing but rounding, no
graph for the discriminator's fakes or, where the run reuses them, the same fakes for both players, a frozen
discriminator in the generator's turn, penalties now and then and in fp32, the average by one `foreach` call, weights
listed once, and nothing that waits for a number inside the loop. Networks are not compiled, and what they do themselves
(spectral norm) they do here too. `Levers` pulls single ones back, for `benchmarks.levers`.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.work import Examples, Levers, Work

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


class Loop:
    """What the tuned and the plain loop share: batches, noise, formulas.

    Args:
        work: what a turn has to do
        generator: noise, or inputs, and labels where there are any, to images
        discriminator: images, and labels where there are any, to logits
        examples: what is learned from
        random: generators that `data`, `noise` and `random` (places between images) are drawn from
    """

    def __init__(
        self,
        work: Work,
        generator: nn.Module,
        discriminator: nn.Module,
        examples: Examples,
        random: Mapping[str, torch.Generator],
    ):
        self.work, self.random, self.examples = work, random, examples
        self.generator, self.discriminator = generator, discriminator
        self.d_loss, self.g_loss = LOSSES[work.loss]
        self.average = None
        if work.ema is not None:
            self.average = copy.deepcopy(generator).eval().requires_grad_(False)
        self.order, self.position = torch.empty(0, dtype=torch.long), 0
        self.turns = self.averaged = 0

    def start_pass_if_over(self) -> None:
        """Draw a new order when the images that are left do not make a turn."""
        if self.position + self.work.batches * self.work.batch_size > len(self.order):
            order = torch.randperm(len(self.examples.images), generator=self.random["data"])
            self.order, self.position = order.to(self.examples.images.device), 0

    def next_batch(self) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The next real images, in [-1, 1], with their labels, and in translations the inputs before the pairs."""
        index = self.order[self.position : self.position + self.work.batch_size]
        self.position += self.work.batch_size
        images, labels, targets = (None if c is None else c.index_select(0, index) for c in self.examples)
        start = seen(images, self.work.device)
        labels = None if labels is None else labels.to(self.work.device, non_blocking=True)
        if targets is None:
            return start, labels, None
        return torch.cat([start, seen(targets, self.work.device)], 1), labels, start

    def noise(self) -> Tensor:
        """The next rows of noise."""
        work = self.work
        return torch.randn(
            work.batch_size, work.state_size, generator=self.random["noise"], device=work.device
        )

    def place(self) -> Tensor:
        """Where on the line between a fake and a real image the slope is measured, for each pair."""
        shape = (self.work.batch_size, 1, 1, 1)
        return torch.rand(shape, generator=self.random["random"], device=self.work.device)

    def autocast(self) -> torch.autocast:
        """Compute in bf16 where the work says so."""
        return torch.autocast(torch.device(self.work.device).type, torch.bfloat16, enabled=self.work.bf16)

    def fakes(self, labels: Tensor | None, start: Tensor | None) -> Tensor:
        """A batch of fakes with these labels, or of outputs for these inputs."""
        start = self.noise() if start is None else start
        with self.autocast():
            fake = self.generator(start) if labels is None else self.generator(start, labels)
        return fake.float()

    def judge(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Logits in fp32."""
        logits = self.discriminator(images) if labels is None else self.discriminator(images, labels)
        return logits.float()

    def judge_both(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits of real and of fake images, in one pass where the work says so."""
        if not self.work.one_pass:
            return self.judge(real, labels), self.judge(fake, labels)
        said, told = self.judge(
            torch.cat([real, fake]), None if labels is None else torch.cat([labels, labels])
        ).chunk(2)
        return said, told

    def penalties(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Iterator[Tensor]:
        """The penalties that are due in this turn, each weighed up by its interval."""
        work = self.work
        if work.r1 is not None and self.turns % work.r1[1] == 0:
            yield work.r1[1] * work.r1[0] / 2 * self.steepness(real, labels).mean()
        if work.r2 is not None and self.turns % work.r2[1] == 0:
            yield work.r2[1] * work.r2[0] / 2 * self.steepness(fake, labels).mean()
        if work.slope is not None and self.turns % work.slope[1] == 0:
            slope = (self.steepness(torch.lerp(fake, real, self.place()), labels) + 1e-12).sqrt()
            yield work.slope[1] * work.slope[0] * (slope - 1).square().mean()

    def steepness(self, points: Tensor, labels: Tensor | None) -> Tensor:
        """The squared norm of the discriminator's gradient at each point."""
        points = points.detach().requires_grad_(True)
        logits = self.judge(points, labels)
        (gradient,) = torch.autograd.grad(logits.sum(), points, create_graph=True)
        return gradient.square().sum((1, 2, 3))

    def decay(self) -> float:
        """How much of the average stays at this move."""
        assert self.work.ema is not None, "there is an average"
        decay, ramp = self.work.ema
        return min(decay, (1 + self.averaged) / (10 + self.averaged)) if ramp else decay


class TunedLoop(Loop):
    """Every lever on; `levers` switches off single ones."""

    def __init__(self, work: Work, *parts: Any, levers: Levers | None = None):
        super().__init__(work, *parts)
        self.levers = levers = levers or Levers()
        self.g_weights, self.d_weights = (
            list(self.generator.parameters()),
            list(self.discriminator.parameters()),
        )
        self.g_adam = torch.optim.Adam(self.g_weights, **levers.settings(), **work.adam["generator"])
        self.d_adam = torch.optim.Adam(self.d_weights, **levers.settings(), **work.adam["discriminator"])
        if self.average is not None:
            self.average_weights = list(self.average.parameters())
            self.average_buffers, self.g_buffers = (
                list(self.average.buffers()),
                list(self.generator.buffers()),
            )

    def play(self, turns: int) -> dict[str, float]:
        """Play some turns; returns the mean losses."""
        d_total, g_total = torch.zeros(2, dtype=torch.double, device=self.work.device)
        for _ in range(turns):
            self.start_pass_if_over()
            for move in range(self.work.discriminator_moves):
                if move < self.work.batches:
                    real, labels, start = self.next_batch()
                keep = self.work.reuse_fakes and move == self.work.discriminator_moves - 1
                keep = keep or not self.levers.without_graph
                with contextlib.nullcontext() if keep else torch.no_grad():
                    fake = self.fakes(labels, start)
                d_loss = self.move_discriminator(real, fake.detach(), labels, start)
            d_total += d_loss

            self.freeze(True)
            for move in range(self.work.generator_moves):
                if move > 0 or not self.work.reuse_fakes:
                    fake = self.fakes(labels, start)
                g_loss = self.move_generator(real, fake, labels, start)
            self.freeze(False)
            g_total += g_loss
            self.turns += 1
        return {"generator": g_total.item() / turns, "discriminator": d_total.item() / turns}

    def move_discriminator(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, start: Tensor | None
    ) -> Tensor:
        """The discriminator's move; returns its loss."""
        fake = fake if start is None else torch.cat([start, fake], 1)
        with self.autocast():
            loss = self.d_loss(*self.judge_both(real, fake, labels))
        with contextlib.nullcontext() if self.levers.penalty_in_fp32 else self.autocast():
            for penalty in self.penalties(real, fake, labels):
                loss = loss + penalty
        self.d_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.d_adam.step()
        return loss.detach()

    def move_generator(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, start: Tensor | None
    ) -> Tensor:
        """The generator's move; returns its loss."""
        judged = fake if start is None else torch.cat([start, fake], 1)
        with self.autocast():
            told = self.judge(judged, labels)
            loss = self.g_loss(told, self.judge(real, labels) if self.work.loss in PAIRED else None)
        if start is not None:
            loss = loss + self.work.l1 * F.l1_loss(fake, real[:, start.shape[1] :])
        self.g_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.g_adam.step()
        self.follow()
        return loss.detach()

    def freeze(self, frozen: bool) -> None:
        """Let the discriminator's weights get no gradients, or let them get some again."""
        if self.levers.frozen:
            for weight in self.d_weights:
                weight.requires_grad_(not frozen)

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the generator."""
        if self.average is None:
            return
        torch._foreach_lerp_(self.average_weights, self.g_weights, 1 - self.decay())
        if self.g_buffers:
            torch._foreach_copy_(self.average_buffers, self.g_buffers)
        self.averaged += 1


def seen(stored: Tensor, device: str) -> Tensor:
    """8-bit images in [-1, 1], on the device."""
    return stored.to(device, non_blocking=True).float().div_(127.5).sub_(1)
