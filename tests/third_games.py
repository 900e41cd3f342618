"""Games and data of third parties, as a file that options may name: `--game third.py:Instance`."""

THIRD = """
import torch
from torch.nn import functional as F

from ganzo.data import Data
from ganzo.game import Game


class Instance(Game):
    '''One minibatch, two moves.'''

    def train_on_instance(self, z, x, y):
        fake = self.generator(z)
        self.discriminator.move(d_loss := self.loss.for_discriminator(x, fake.detach(), y))
        self.generator.move(g_loss := self.loss.for_generator(self.generator(z), y))
        return {"generator": g_loss, "discriminator": d_loss}


class EpochOnly:
    def __init__(self, options, generator, discriminator, loss, hooks=None):
        self.generator, self.loss, self.epochs = generator, loss, 0
        self.d = torch.optim.Adam(discriminator.parameters())

    def run_epoch(self, data, noise):
        count = 0
        while (batch := data.next()) is not None:
            images, labels = batch
            loss = self.loss.for_discriminator(images, self.generator(noise.next()).detach(), labels)
            self.d.zero_grad()
            loss.backward()
            self.d.step()
            count += 1
        data.reset()
        self.epochs += 1
        return {"generator": 0.0, "discriminator": float(loss.detach()), "batches": count}


class Odd(Instance):
    '''Does more with larger batches.'''

    def train_on_instance(self, z, x, y):
        extra = [torch.zeros(3) for _ in range(len(x))]
        return super().train_on_instance(z, x, y)


class Endless(Data):
    image_size, image_colors = 8, 1

    def __init__(self, options):
        self.batch_size = options.batch_size
        self.mean = torch.zeros(9)

    def next(self):
        return torch.zeros(self.batch_size, 1, 8, 8), None

    def reset(self):
        pass


class OwnBatches(Data):
    image_size, image_colors, batch_size, batches = 8, 1, 12, 3

    def __init__(self, options):
        self.left = 3

    def next(self):
        self.left -= 1
        return (torch.zeros(12, 1, 8, 8), None) if self.left >= 0 else None

    def reset(self):
        self.left = 3


class Breaks(Game):
    def step(self, batches, noise):
        raise TypeError("something of theirs")
"""
