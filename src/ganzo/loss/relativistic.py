"""Loss `relativistic`."""

import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import Loss, class_loss
from ganzo.registry import register


@register("loss", "relativistic")
class RelativisticLoss(Loss):
    """Relativistic pairing: only whether a real image is called more real than its fake counts, for both players.

    The generator's loss needs real images too, of the same labels: the game hands them over as `real`.

    Shape: logits B×1 or B×1×h×w (averaged), as many real as fake; each loss is a scalar.

    Paper: Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN", 2018,
        https://arxiv.org/abs/1807.00734; with R1 and R2: Huang et al., "The GAN is dead; long live the GAN! A Modern
        GAN Baseline", 2024, https://arxiv.org/abs/2501.05441
    """

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator_loss(self, fake: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]  # one side says nothing
        return F.softplus(real - fake).mean()

    def for_generator(  # type: ignore[override]  # `real` has no default: without it there is no such loss
        self, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None, *, real: Tensor
    ) -> Tensor:
        """The generator's loss for images beside real ones, both of the given labels (`target` is the older name)."""
        labels = target if labels is None else labels
        told = self.critic.verdict(fake, labels)
        return self.generator_loss(told.logits, self.critic(real, labels)) + class_loss(told, labels)
