"""Loss `relativistic`."""

import torch.nn.functional as F
from torch import Tensor

from ganzo.loss import RelativeLoss
from ganzo.registry import register


@register("loss", "relativistic-standard")
@register("loss", "relativistic")
class RelativisticLoss(RelativeLoss):
    """Relativistic pairing: only whether a real image is called more real than its fake counts, for both players.

    It is the relativistic standard GAN (RSGAN), and known by that name as well. The generator's loss
    needs real images too, of the same labels: the game hands them over as `real`.

    Shape: logits B×1 or B×1×h×w (averaged), as many real as fake; each loss is a scalar.

    Paper: Jolicoeur-Martineau, "The relativistic discriminator: a key element missing from standard GAN", 2018,
        https://arxiv.org/abs/1807.00734; with R1 and R2: Huang et al., "The GAN is dead; long live the GAN! A Modern
        GAN Baseline", 2024, https://arxiv.org/abs/2501.05441
    """

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator_loss(self, fake: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]  # one side says nothing
        return F.softplus(real - fake).mean()
