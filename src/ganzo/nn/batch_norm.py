"""Batch normalisation over the batch of all ranks, in plain torch: on every device, and with gradients of gradients."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.nn import ranks
from ganzo.nn.say import tell

OF_ANY_KIND = nn.modules.batchnorm._BatchNorm
KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
KNOWN = {*(kind.__name__ for kind in KINDS), "SyncBatchNorm"}


class SyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Normalises by the mean and variance over the samples of all ranks, each of which holds as many.

    `synchronise` makes it of a batch norm of torch's; weights and running statistics stay, under their names. In
    evaluation, and where nothing is exchanged, it is what it was.

    Shape: B×C×… to the same, computed in float32 at least.

    Paper: Ioffe & Szegedy, "Batch Normalization", 2015, https://arxiv.org/abs/1502.03167; the statistics of parts are
        joined as in Chan et al., "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979
    """

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and ranks.talking()):
            return super().forward(input)
        wide = input.to(torch.promote_types(input.dtype, torch.float32))
        var, mean = torch.var_mean(wide, [axis for axis in range(input.dim()) if axis != 1], correction=0)
        means, variances = stacked(torch.stack([mean, var])).unbind(1)  # ranks×C each
        mean, var = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        self._follow(mean.detach(), var.detach(), ranks.ranks().count * input.numel() // self.num_features)
        shape = (1, -1, *(1,) * (input.dim() - 2))
        scale = (var + self.eps).rsqrt()
        if self.weight is None:
            return ((wide - mean.view(shape)) * scale.view(shape)).to(input.dtype)
        scale = (scale * self.weight).view(shape)
        return torch.addcmul(self.bias.view(shape), wide - mean.view(shape), scale).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, var: Tensor, count: int) -> None:
        """Let the running statistics follow those of a batch with so many values of each channel."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None, "it is there where they are"
        self.num_batches_tracked.add_(1)
        part = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), part)
        self.running_var.lerp_((var * (count / (count - 1))).to(self.running_var), part)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"A batch norm needs B×C at least; got {input.dim()} dimensions.")


def stacked(value: Tensor) -> Tensor:
    """A tensor of each rank along a new first axis, in their order; gradients flow to all of them."""
    now = ranks.ranks()
    if not ranks.talking():
        return value[None]
    empty = (*(0, 0) * value.dim(), now.rank, now.count - now.rank - 1)
    return ranks.summed(F.pad(value[None], empty))  # gloo has no differentiable exchange but sums


def synchronise(networks: Iterable[nn.Module]) -> None:
    """Let the batch norms of networks use the statistics of the batch of all ranks; says so where there is no use."""
    if ranks.ranks().count == 1:
        tell("warning: `--sync-batch-norm` has no effect: one process trains the run.")
        return
    found = [m for network in networks for m in network.modules() if type(m) in KINDS]
    if not found:
        tell("warning: `--sync-batch-norm` has no effect: no network has a batch norm.")
    odd = {type(m).__name__ for n in networks for m in n.modules() if isinstance(m, OF_ANY_KIND)} - KNOWN
    if odd:
        tell(
            f"warning: `--sync-batch-norm` leaves {', '.join(sorted(odd))} as they are: they are not torch's own."
        )
    for norm in found:
        norm.__class__ = SyncBatchNorm  # its weights, statistics and hooks stay, and who holds it
