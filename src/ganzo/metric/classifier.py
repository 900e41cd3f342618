"""Features `classifier`."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzo.nn.cache import key_of, read_tensors, write_tensors
from ganzo.nn.classify import FEATURES, SmallClassifier, train_classifier
from ganzo.nn.collected import Seen
from ganzo.nn.references import References
from ganzo.registry import OptionError, register

FORMAT = 1  # of the network and its training
MOST = 100_000  # training images that are looked at


@register("features", "classifier")
class Classifier(nn.Module):
    """What a small network sees that learns the data's own classes: in seconds, on the CPU, with a fixed seed, once.

    It is kept under the content of the data. Its features suit these data alone, and no score by them can be compared
    with one on other data. It has seen the training images; those that are held out it has not.

    Args:
        classes: number of classes
        image_colors: channels of the images

    Shape: B×C×H×W in [-1, 1] to features B×64 and logits B×classes.
    """

    num_features = FEATURES

    def __init__(self, *, classes: int = 10, image_colors: int = 3) -> None:
        super().__init__()
        if not classes:
            raise OptionError(
                "`--metrics-features classifier` needs data with classes; these have none. Choose `random`."
            )
        self.classes, self.colors = classes, image_colors
        self.network = self.fresh(16)

    @property
    def resize(self) -> str:
        """How images are brought to what the network looks at."""
        return f"{self.network.side}x{self.network.side} bilinear antialiased"

    def fresh(self, side: int) -> SmallClassifier:
        """The network before it has learnt."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return SmallClassifier(self.classes, self.colors, side)

    def forward(self, images: Tensor) -> Any:
        return Seen(*self.network(images))

    def learn(self, references: References, folder: Path) -> None:
        """Learn the training examples' classes, or find that done in the folder."""
        images, labels = gathered(references)
        self.network = self.fresh(32 if min(images.shape[2:]) >= 32 else 16)
        content = references.training_content
        path = folder / f"{key_of('classifier', FORMAT, content, self.classes, *images.shape)}.safetensors"
        state = None if content is None else read_tensors(path)
        if state is not None:
            self.network.load_state_dict(state)
        else:
            train_classifier(self.network, images, labels)
            if content is not None:
                write_tensors(path, dict(self.network.state_dict()))
        self.network.eval().requires_grad_(False)


def gathered(references: References) -> tuple[Tensor, Tensor]:
    """Training images as 8-bit pixels, and their classes."""
    from ganzo.nn.pixels import to_stored

    count = len(getattr(references.data, "examples", ())) or None
    index = None
    if count is not None and count > MOST:
        index = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MOST].sort().values
    images, labels = list[Tensor](), list[Tensor]()
    for real, label in references.training(index):
        if label is None:
            raise OptionError(
                "`--metrics-features classifier` needs a label for each real example; these have none. Choose `random`."
            )
        images.append(to_stored(real).cpu())
        labels.append(label.cpu())
    if not images:
        raise OptionError(
            "`--metrics-features classifier` learns from the data's examples, and these data keep none."
            " Choose `random`."
        )
    return torch.cat(images), torch.cat(labels)
