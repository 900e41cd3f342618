"""The schedule of the learning rates: what they are multiplied by, from epoch to epoch."""

from collections.abc import Mapping
from math import cos, exp, pi
from typing import Any, Literal

from ganzo.registry import Count, Fraction, Natural, OptionError, register, side_of

Shape = Literal["constant", "linear", "cosine", "ramp"]
FALLING = ("linear", "cosine")


@register("common", "schedule")
class Schedule:
    """What the learning rate of each player is multiplied by, set anew at the start of each epoch.

    It is a function of the number of finished epochs alone, so a restored run goes on bit for bit. A fall whose length
    is not given ends with the run's last epoch: `--restore` with more `--epochs` then goes on along the longer fall,
    from the epoch that it has come to; give `--lr-decay-epochs` for one that more epochs leave as it is.

    Args:
        epochs: epochs in all
        lr_schedule: how learning rates change. constant: they stay; linear and cosine: they fall, along a line or half
            a cosine; ramp: over the warm-up they rise along exp(-5(1-p)²), then they stay
        generator_lr_schedule: the generator's own schedule; none for `lr_schedule`
        discriminator_lr_schedule: the discriminator's own schedule; none for `lr_schedule`
        lr_warmup: epochs before which learning rates rise, along a line or the ramp
        lr_decay_start: epochs after which they begin to fall
        lr_decay_epochs: epochs that the fall takes; none for all that are left
        lr_end: part of the rate that is left after the fall

    Paper: cosine: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017,
        https://arxiv.org/abs/1608.03983, Eq. 5, without restarts; ramp: Laine & Aila, "Temporal Ensembling for
        Semi-Supervised Learning", 2017, https://arxiv.org/abs/1610.02242, appendix A
    """

    def __init__(
        self,
        epochs: int,
        *,
        lr_schedule: Shape = "constant",
        generator_lr_schedule: Shape | None = None,
        discriminator_lr_schedule: Shape | None = None,
        lr_warmup: Natural = 0,
        lr_decay_start: Natural = 0,
        lr_decay_epochs: Count | None = None,
        lr_end: Fraction = 0.0,
    ):
        self.shapes: dict[str, str] = {
            "generator": generator_lr_schedule or lr_schedule,
            "discriminator": discriminator_lr_schedule or lr_schedule,
        }
        self.warmup, self.end = lr_warmup, lr_end
        self.start, self.length = lr_decay_start, lr_decay_epochs or max(1, epochs - lr_decay_start)
        shapes = self.shapes.values()
        if "ramp" in shapes and not lr_warmup:
            raise OptionError(
                "`--lr-schedule ramp` rises over the warm-up; give its epochs by `--lr-warmup`."
            )
        if (lr_decay_start or lr_decay_epochs or lr_end) and not any(shape in FALLING for shape in shapes):
            raise OptionError(
                "`--lr-decay-start`, `--lr-decay-epochs` and `--lr-end` belong to a schedule that falls; choose"
                " `--lr-schedule linear` or `cosine`, or leave them out."
            )

    def factor(self, shape: str, done: int) -> float:
        """What a rate is multiplied by when so many epochs are done."""
        if shape == "ramp":
            return exp(-5 * (1 - min(1.0, done / self.warmup)) ** 2)
        rising = min(1.0, (done + 1) / (self.warmup + 1))
        if shape == "constant":
            return rising
        fallen = min(1.0, max(0.0, (done - self.start) / self.length))  # how far down, from 0 to 1
        left = 1 - fallen if shape == "linear" else (1 + cos(pi * fallen)) / 2
        return rising * (self.end + (1 - self.end) * left)

    def set(self, players: Mapping[str, Any], epoch: int) -> None:
        """Give every player's optimizer the rate of an epoch, which is counted from 1; the full one is kept beside."""
        for name, player in players.items():
            shape = self.shapes[side_of(name)]
            if shape == "constant" and not self.warmup:
                continue
            for group in player.optimizer.param_groups:
                full = group.setdefault("initial_lr", group["lr"])
                group["lr"] = full * self.factor(shape, epoch - 1)
