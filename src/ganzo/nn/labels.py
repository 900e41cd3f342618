"""How labels enter networks that were not written for them, and which way is chosen for each player."""

from argparse import Namespace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganzo.errors import OptionError
from ganzo.nn.batch import each
from ganzo.nn.conditional import ConditionalBatchNorm

Way = Literal["auto", "none", "concat", "batch-norm", "projection", "auxiliary"]
WAYS = {  # of the generator, and of the discriminator
    "auto": ("auto", "auto"),
    "none": ("none", "none"),
    "concat": ("concat", "concat"),
    "batch-norm": ("batch-norm", "concat"),
    "projection": ("concat", "projection"),
    "auxiliary": ("concat", "auxiliary"),
}


def way_of(player: str, options: Namespace) -> str:
    """How a player, `generator` or `discriminator`, is told of labels; refuses any way where the data have none."""
    both = WAYS[getattr(options, "conditional", "auto")]
    own = getattr(options, f"{player}_conditional", None)
    way = own or both[player == "discriminator"]
    if way not in ("auto", "none") and not getattr(options, "classes", 0):
        flag = f"`--{player}-conditional {way}`" if own else f"`--conditional {options.conditional}`"
        raise OptionError(
            f"{flag} needs data with two classes at least; these have none, or one alone. Leave it out, or give"
            " labelled data."
        )
    return way


def say_alike(wrapper: nn.Module, network: nn.Module) -> None:
    """Let a wrapper say what the network says of itself; a third party's may say nothing."""
    for name in ("translates", "scales", "makes_scales"):
        if hasattr(network, name):
            setattr(wrapper, name, getattr(network, name))


class ConcatLabels(nn.Module):
    """A network that finds the label beside its input: as one-hot numbers beside noise, as constant maps beside images.

    Args:
        network: takes `classes` more numbers, or channels, than it is given
        classes: number of classes

    Shape: noise B×S or images B×C×H×W (or a list of them), and labels B, to what the network makes of them.

    Paper: Mirza & Osindero, "Conditional Generative Adversarial Nets", 2014, https://arxiv.org/abs/1411.1784
    """

    uses_labels = True

    def __init__(self, network: nn.Module, classes: int):
        super().__init__()
        self.network, self.classes = network, classes
        say_alike(self, network)

    def forward(self, inputs: Any, labels: Tensor) -> Any:
        """Ask the network with the labels beside its input."""
        hot = F.one_hot(labels, self.classes)

        def beside(x: Tensor) -> Tensor:
            maps = hot.reshape(*hot.shape, *(1,) * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])
            return torch.cat([x, maps.to(x)], 1)

        return self.network(each(beside, inputs))


class NormalizeByLabels(nn.Module):
    """A network whose batch norms look their gains and offsets up by class.

    Args:
        network: its batch norms are replaced
        classes: number of classes

    Paper: Dumoulin et al., "A Learned Representation For Artistic Style", 2017, https://arxiv.org/abs/1610.07629
    """

    uses_labels = True

    def __init__(self, network: nn.Module, classes: int):
        super().__init__()
        self.network = network
        say_alike(self, network)
        places = [
            (parent, name, child.num_features)
            for parent in network.modules()
            for name, child in parent.named_children()
            if isinstance(child, nn.BatchNorm2d)
        ]
        self.norms = [ConditionalBatchNorm(channels, classes) for _, _, channels in places]
        for (parent, name, _), norm in zip(places, self.norms, strict=True):
            setattr(parent, name, norm)

    def forward(self, inputs: Tensor, labels: Tensor) -> Any:
        """Ask the network while its norms know the labels."""
        for norm in self.norms:
            norm.labels = labels
        try:
            return self.network(inputs)
        finally:
            for norm in self.norms:
                norm.labels = None
