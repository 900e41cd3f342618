"""Parts of a third party that know nothing of other processes; named by their file, so that nothing is registered."""

import torch


class Numbers:
    """A stranger's data: they hand out pairs, and know nothing of ranks; the last batch of a pass is smaller."""

    def __init__(self, options):
        self.batch_size, self.image_size, self.image_colors, self.classes = 16, 8, 1, 2
        self.images = torch.rand(52, 1, 8, 8, generator=torch.Generator().manual_seed(4)) * 2 - 1
        self.reset()

    def next(self):
        at, self.at = self.at, self.at + self.batch_size
        part = self.images[at : self.at]
        return (part, (torch.arange(len(part)) % 3 > 0).long()) if len(part) else None

    def reset(self):
        self.at = 0


class Centres:
    """A stranger's noise, each class around a centre of its own."""

    def __init__(self, options):
        self.size, self.batch_size = options.state_size, options.batch_size
        self.generator = torch.Generator().manual_seed(options.seed)

    def next(self, n=None, labels=None):
        drawn = torch.randn(n or self.batch_size, self.size, generator=self.generator)
        return drawn if labels is None else drawn + labels[:, None]

    def sample(self, n, seed=None, labels=None):
        return torch.randn(n, self.size)


class Older:
    """A stranger's game, which makes its optimizers and moves the weights by itself."""

    def __init__(self, options, generator, discriminator, loss, hooks=None):
        self.players, self.loss = {"generator": generator, "discriminator": discriminator}, loss
        self.optimizers = {name: torch.optim.SGD(p.parameters(), 0.05) for name, p in self.players.items()}

    def run_epoch(self, data, noise):
        losses = {}
        while (batch := data.next()) is not None:
            real, labels = batch
            fake = self.players["generator"](noise.next(len(real), labels))
            for name in ("discriminator", "generator"):
                self.optimizers[name].zero_grad()
                asked = {"discriminator": (real, fake.detach()), "generator": (fake,)}[name]
                losses[name] = getattr(self.loss, f"for_{name}")(*asked)
                losses[name].backward()
                self.optimizers[name].step()
        data.reset()
        return {name: loss.item() for name, loss in losses.items()}
