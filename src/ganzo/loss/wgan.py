"""Loss `wgan`."""

from torch import Tensor

from ganzo.loss import Loss
from ganzo.registry import register


@register("loss", "wgan")
class WGANLoss(Loss):
    """Wasserstein loss: the critic drives its values for real and fake apart, the generator raises those of its images.

    It needs a critic that cannot grow steep: choose `weight-clipper` as the discriminator's hook, or a regularizer.

    Shape: logits B×1 or B×1×h×w (averaged); each loss is a scalar.

    Paper: Arjovsky et al., "Wasserstein GAN", 2017, https://arxiv.org/abs/1701.07875, algorithm 1
    """

    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return -fake.mean()
