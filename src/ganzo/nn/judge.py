"""The judge of the embedded digits: a small classifier, trained on their training part alone."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

WEIGHTS = Path(__file__).with_name("judge.safetensors")


class Judge(nn.Module):
    """Reads digits from grey images of any size of at least 8x8.

    Images are area-pooled to 8x8 first, so that originals and smoothly enlarged copies are read alike.

    Args:
        classes: number of classes
        width: channels of the first convolution; the second and third have twice as many
        features: size of the penultimate layer
    """

    def __init__(self, *, classes: int = 10, width: int = 16, features: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * 16, features),
            nn.ReLU(),
        )
        self.head = nn.Linear(features, classes)

    def features(self, images: Tensor) -> Tensor:
        """Return penultimate features (B, features) of images (B, 1, H, W) in [-1, 1]."""
        return self.body(F.interpolate(images, size=(8, 8), mode="area"))

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (B, classes) of images (B, 1, H, W) in [-1, 1]."""
        return self.head(self.features(images))


def load_judge(path: Path = WEIGHTS) -> Judge:
    """The trained judge, in evaluation mode, its weights frozen."""
    judge = Judge()
    judge.load_state_dict(load_file(path))
    return judge.eval().requires_grad_(False)
