"""What two processes of one run do together, and one by itself for comparison.

Started by torchrun, each rank writes what it found into a folder: `<rank>.safetensors` and `<rank>.json`.
"""

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ganzo.assemble import assemble
from ganzo.data.arrays import ArrayData
from ganzo.game.player import Player
from ganzo.nn import in_step, ranks
from ganzo.nn.batch_norm import synchronise
from ganzo.nn.sampling import sample_images
from small import small

HERE = Path(__file__)
STRANGERS = HERE.with_name("strangers.py")
CONV = {
    **{"generator": "conv", "generator_channels": 8, "generator_layers": None, "sync_batch_norm": True},
    **{"discriminator": "conv", "discriminator_channels": 8, "discriminator_layers": None},
    **{"optimizer": "sgd", "lr": 0.05},  # Adam makes whole steps of rounding, for biases before a batch norm
}
SPECTRAL = CONV | {"discriminator_spectral_norm": True}
CASES = {  # an epoch of each is played by two ranks, with half of every batch, and by one process with the whole
    "wgan-gp": CONV | {"loss": "wgan-gp"},
    "hinge": SPECTRAL | {"loss": "hinge"},
    "r1": SPECTRAL | {"regularizer": ["r1", "r2"], "r1_every": 2},
    "translate": CONV
    | {"data_format": "pair-of-images", "split": "horizontal", "game": "translate", "loss": "pix2pix"}
    | {"generator": "u-gen", "generator_layers": 2, "generator_dropout": None}
    | {"discriminator": "patch-gan", "discriminator_receptive_field": 16},
    "diffaugment": SPECTRAL | {"augment": ["diffaugment"], "random_flip": True, "random_crop": True},
    "labels": SPECTRAL | {"generator": "cgan", "discriminator": "cgan", "conditional": "projection"},
    "classes": SPECTRAL | {"conditional": "auxiliary", "generator_conditional": "batch-norm"},
    "relativistic-average": SPECTRAL | {"loss": "relativistic-average"},
    "soft labels": SPECTRAL | {"loss": "gan", "soft_labels": True, "noisy_labels": True},
    "iterations": SPECTRAL | {"discriminator_iterations": 2, "generator_iterations": 2, "reuse_fakes": True},
    "parts": SPECTRAL | {"accumulate": 2, "one_pass": True, "loss": "hinge"},
    "ema": SPECTRAL | {"generator_hook": ["ema"]},
    "adam": SPECTRAL | {"optimizer": "adam", "generator": "fc", "generator_layers": 2},
    "strangers": SPECTRAL
    | {"data_format": f"{STRANGERS}:Numbers", "noise": f"{STRANGERS}:Centres", "game": f"{STRANGERS}:Older"},
}
TAKEN_UP = "soft labels"  # the case that goes on from what rank 0 had saved
LOOSE = CONV | {
    "generator_dropout": 0.3,
    "discriminator_dropout": 0.3,
    "sync_batch_norm": False,
    "generator_hook": ["ema"],
}


def played(options):
    """An epoch of three turns: weights, statistics and averages by name, with some samples; and its numbers."""
    parts = assemble(small(**options))
    players = parts.game.players.values()
    before = [[weight.detach().clone() for weight in player.network.parameters()] for player in players]
    numbers = parts.game.run_epoch(parts.data, parts.noise) | {"images": parts.game.images}
    after = [list(player.network.parameters()) for player in players]
    numbers["moved"] = min(max(map(distance, one, other)) for one, other in zip(before, after, strict=True))
    tensors = {
        f"{name} {key}": value.clone()
        for name, network in parts.game.networks().items()
        for key, value in network.state_dict().items()
    }
    if parts.game.generator.average is not None:
        tensors["samples"] = sample_images(parts.game.sampler, parts.noise, 4, seed=1)
    return tensors, numbers


def left(options):
    """What rank 0 would save of a run after its first turn: the state of all parts, and the weights."""
    parts = assemble(small(**options))
    for _ in parts.game.rounds(parts.data, parts.noise, pause=lambda: True):
        break
    weights = {name: network.state_dict() for name, network in parts.game.networks().items()}
    return ranks.shared(({name: part.state_dict() for name, part in vars(parts).items()}, weights))


def taken_up(options, states, weights):
    """The numbers of an epoch that goes on from there."""
    parts = assemble(small(**options))
    for name, network in parts.game.networks().items():
        network.load_state_dict(weights[name])
    for name, part in vars(parts).items():
        part.load_state_dict(states[name])
    return parts.game.run_epoch(parts.data, parts.noise) | {"images": parts.game.images}


def distance(one, other):
    """How far a number of a tensor lies from that of another at most."""
    return (one.double() - other.double()).abs().max().item()


def shards():
    """Two passes over numbered images, as this rank gets them; and over those in a fixed order."""
    data = ArrayData(
        torch.arange(11, dtype=torch.uint8).repeat(4, 1).T.reshape(11, 1, 2, 2), batch_size=4, seed=3
    )
    found = []
    for _ in range(2):
        while (batch := data.next()) is not None:
            found.append(batch.image[:, 0, 0, 0].int())
        data.reset()
    return torch.stack(found), data.reference().next().image[:, 0, 0, 0].int()


def normed(kind, shape, **settings):
    """What a batch norm makes of a rank's rows, with first and second gradients and its running statistics.

    One process asks it for all rows; the gradients are those of the mean over all of them.
    """
    draw = torch.Generator().manual_seed(1)
    norm = kind(shape[1], dtype=torch.double, **settings)
    for weight in norm.parameters():
        weight.data.uniform_(0.5, 2, generator=draw)
    synchronise([norm])
    everything, wanted = (torch.randn(shape, dtype=torch.double, generator=draw) for _ in range(2))
    everything[1::2] += 100  # far from zero, and other rows for each rank
    part, count = ranks.share(shape[0]), ranks.ranks().count
    rows = everything[part].requires_grad_()
    out = norm(rows)
    (slope,) = torch.autograd.grad((out * wanted[part]).square().mean(), rows, create_graph=True)
    (slope / count).square().sum(tuple(range(1, rows.dim()))).mean().backward()
    ranks.average_gradients(norm.parameters())
    found = {"out": out.detach(), "slope": slope.detach() / count, "second": rows.grad / count}
    found = {name: ranks.gathered(value) for name, value in found.items()}
    return (
        found | {name: weight.grad for name, weight in norm.named_parameters()} | dict(norm.named_buffers())
    )


NORMS = {
    "1d": (nn.BatchNorm1d, (8, 3), {}),
    "2d": (nn.BatchNorm2d, (4, 3, 2, 2), {}),
    "3d": (nn.BatchNorm3d, (4, 2, 2, 1, 2), {"momentum": None}),
    "plain": (nn.BatchNorm2d, (4, 3, 2, 2), {"affine": False, "track_running_stats": False}),
}


def spoken():
    """What the ranks say to each other, tensor by tensor; written for two of them."""
    rank = ranks.ranks().rank
    own = torch.tensor([1.0, 3.0])[rank].requires_grad_()
    (ranks.mean(own) ** 2 * (rank + 1)).backward()  # together (1 + 2) m², where m = (1 + 3) / 2
    mixed = [torch.full((2,), float(rank)), torch.full((3,), 1.0 + rank, dtype=torch.bfloat16)]
    mixed.append(torch.full((1,), 1 / (3 + rank), dtype=torch.double))
    ranks.average(mixed)
    given = [nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))]
    given[1].grad = torch.tensor([rank + 1.0])
    ranks.average_gradients(given)
    network = nn.BatchNorm1d(2)
    network.running_mean.fill_(rank + 0.1)
    network.num_batches_tracked.fill_(rank)
    in_step.level([network])
    first = nn.Linear(2, 1)
    nn.init.constant_(first.weight, rank + 7.0)
    in_step.begin([first])
    by_rank = in_step.by_rank({"a": torch.tensor(float(rank)), "b": torch.tensor(2.0)})
    found = {"broadcast": first.weight, "slope": own.grad, **{f"average {n}": t for n, t in enumerate(mixed)}}
    found |= {
        "level": network.running_mean,
        "count": network.num_batches_tracked,
        "own": in_step.own(by_rank["a"]),
    }
    found |= {f"by rank {name}": value for name, value in by_rank.items()}
    found |= {"gradient": given[1].grad, "none": torch.tensor(given[0].grad is None)}
    found["gathered"] = ranks.gathered(torch.tensor([[rank, 5]]))
    with ranks.muted():
        found["muted"] = ranks.gathered(torch.tensor([rank]))
    with ranks.alone():
        found["alone"] = ranks.mean(torch.tensor(float(rank)))
    return found


def not_finite():
    """A player's weight after a move whose gradient overflows on one rank alone, and after the next move."""
    layer, found = nn.Linear(1, 1, bias=False), []
    nn.init.ones_(layer.weight)
    player = Player(layer, torch.optim.SGD(layer.parameters(), 1.0), scaler=torch.amp.GradScaler("cpu", 2.0))
    for slope in (float("inf") if ranks.ranks().leads else 1.0, 1.0):
        player.move(layer(torch.tensor([[slope]])).sum())
        found.append(layer.weight.detach().clone())
    return torch.cat(found).flatten()


def report():
    """All that this rank finds: tensors, and numbers."""
    tensors, numbers = {}, {}
    for name, options in (CASES | {"loose": LOOSE}).items():
        found, numbers[name] = played(options)
        tensors |= {f"{name}/{key}": value for key, value in found.items()}
        numbers[name]["seed"] = torch.initial_seed()
    for name, (kind, shape, settings) in NORMS.items():
        tensors |= {f"norm {name}/{key}": v for key, v in normed(kind, shape, **settings).items()}
    tensors["shards"], tensors["fixed"] = shards()
    tensors |= {f"spoken/{key}": value.detach() for key, value in spoken().items()}
    tensors["not finite"] = not_finite()
    return tensors, numbers


class Found(NamedTuple):
    """What each of the two ranks found."""

    tensors: list[dict[str, torch.Tensor]]
    numbers: list[dict[str, dict[str, float]]]
    left: tuple[dict, dict]  # what rank 0 would save of a run

    def of(self, rank, prefix):
        """The tensors of a rank whose names begin with a prefix, without it."""
        return {
            k.removeprefix(f"{prefix}/"): v
            for k, v in self.tensors[rank].items()
            if k.startswith(f"{prefix}/")
        }


def together():
    """What two ranks find, which are started once for all tests."""
    found = started()
    assert isinstance(found, Found), found
    return found


@functools.cache
def started():
    """What two ranks found, or what they said when they failed."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*launcher, HERE, folder], capture_output=True, text=True, timeout=240)
        if done.returncode:
            return done.stderr[-5000:]
        tensors = [load_file(f"{folder}/{rank}.safetensors") for rank in range(2)]
        numbers = [json.loads(Path(folder, f"{rank}.json").read_text()) for rank in range(2)]
        return Found(tensors, numbers, torch.load(f"{folder}/left-0.pt", weights_only=True))


def main(folder):
    found = ranks.join()
    tensors, numbers = report()
    saved = left(CASES[TAKEN_UP])
    numbers["taken up"] = taken_up(CASES[TAKEN_UP], *saved)
    torch.save(saved, folder / f"left-{found.rank}.pt")
    copies = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    save_file(copies, folder / f"{found.rank}.safetensors")
    (folder / f"{found.rank}.json").write_text(json.dumps(numbers))
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
