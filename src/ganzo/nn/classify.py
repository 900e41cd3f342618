"""A small classifier that is trained in seconds, whose features tell images of one data set apart."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzo.nn.pixels import to_float

SIDE = 16  # of the maps behind the first layer
WIDTHS = {16: (16, 32, 32), 32: (32, 64, 64)}  # channels, by the side to which images are brought
STEPS = {16: 200, 32: 400}
BATCH = {16: 64, 32: 128}
FEATURES = 64


class SmallClassifier(nn.Module):
    """Three convolutions and two linear layers; the input of the last one are the features.

    Args:
        classes: number of classes
        colors: channels of the images
        side: side to which images are brought first: 16, or 32 where they are at least as large

    Shape: B×C×H×W in [-1, 1] to features B×64 and logits B×classes.
    """

    def __init__(self, classes: int, colors: int, side: int = 16):
        super().__init__()
        self.side, self.colors = side, colors
        widths = (colors, *WIDTHS[side])
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(itertools.pairwise(widths)):
            stride = max(1, side // SIDE) if number == 0 else 2 if number == 1 else 1
            layers += [
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(
            *layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * widths[-1], FEATURES), nn.ReLU()
        )
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits."""
        features = self.body(brought(images, self.side))
        return features, self.head(features)


def brought(images: Tensor, side: int) -> Tensor:
    """Images at a side, bilinear and antialiased."""
    if tuple(images.shape[2:]) == (side, side):
        return images
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)


def train_classifier(
    network: SmallClassifier, images: Tensor, labels: Tensor, steps: int | None = None
) -> None:
    """Train a classifier on the CPU, with a fixed seed; what torch draws elsewhere stays as it would be.

    Args:
        network: is moved to the CPU, and comes back in evaluation mode
        images: N×C×H×W, uint8 as stored or float in [-1, 1]
        labels: N, int64
        steps: batches that it sees; none for as many as its side asks for
    """
    steps = STEPS[network.side] if steps is None else steps
    network.cpu().train().requires_grad_(True)
    draw = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1.0, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 3e-3 * min(1.0, (step + 1) / 20) * (1 - step / (steps + 1))
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums, and so the weights, would depend on it
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for _ in range(steps):
            index = torch.randint(len(images), (min(BATCH[network.side], len(images)),), generator=draw)
            where = index.to(images.device)
            batch = to_float(images[where], "cpu")
            _, logits = network(batch)
            loss = F.cross_entropy(logits, labels[where.to(labels.device)].cpu(), label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    torch.set_num_threads(threads)
    network.eval().requires_grad_(False)
