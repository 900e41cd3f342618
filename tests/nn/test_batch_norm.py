import copy

import pytest
import torch
from torch import nn

from ganzo.launch import Ranks
from ganzo.nn import ranks
from ganzo.nn.batch_norm import SyncBatchNorm, synchronise
from ganzo.nn.conditional import ConditionalBatchNorm
from two_ranks import NORMS, distance, normed, together


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_over_two_ranks_is_that_of_the_whole_batch(name):
    """In double: what it makes, its gradients, gradients of gradients, and running statistics."""
    kind, shape, settings = NORMS[name]
    whole = normed(kind, shape, **settings)
    for rank in range(2):
        found = together().of(rank, f"norm {name}")
        assert found.keys() == whole.keys()
        apart = {key: distance(found[key], value) for key, value in whole.items()}
        assert max(apart.values()) < 1e-10, apart


@pytest.fixture
def second(monkeypatch):
    """Makes this process the second of two, which say nothing to each other."""
    monkeypatch.setattr(ranks, "_ranks", Ranks(1, 2, talks=False))


def test_every_norm_of_torch_is_changed_in_its_place(second, capsys):
    class Own(nn.BatchNorm2d):
        pass

    network = nn.Sequential(nn.BatchNorm2d(2), ConditionalBatchNorm(2, 3), Own(2), nn.InstanceNorm2d(2))
    before, weights = copy.deepcopy(network), list(network.parameters())
    synchronise([network, nn.Linear(1, 1)])
    kinds = [type(m) for m in (network[0], network[1].norm, network[2], network[3])]
    assert kinds == [SyncBatchNorm, SyncBatchNorm, Own, nn.InstanceNorm2d]
    assert all(one is other for one, other in zip(weights, network.parameters(), strict=True))
    before.load_state_dict(network.state_dict())  # the same names
    assert isinstance(copy.deepcopy(network)[0], SyncBatchNorm)
    assert capsys.readouterr().err == (
        "ganzo: warning: `--sync-batch-norm` leaves Own as they are: they are not torch's own.\n"
    )


@pytest.mark.parametrize("training", [True, False])
def test_where_nothing_is_exchanged_it_is_what_it_was(second, training):
    draw = torch.Generator().manual_seed(0)
    norm = nn.BatchNorm2d(3).train(training)
    twin, images = copy.deepcopy(norm), torch.randn(4, 3, 2, 2, generator=draw)
    synchronise([nn.ModuleList([norm])])
    assert isinstance(norm, SyncBatchNorm)
    assert torch.equal(norm(images), twin(images))
    assert torch.equal(norm.running_var, twin.running_var)


def test_without_a_batch_norm_or_without_others_it_says_that_it_has_no_effect(second, capsys):
    synchronise([nn.Linear(1, 1)])
    said = "ganzo: warning: `--sync-batch-norm` has no effect: no network has a batch norm.\n"
    assert capsys.readouterr().err == said
    norm = nn.BatchNorm2d(1)
    with ranks.alone():
        synchronise([norm])
    assert type(norm) is nn.BatchNorm2d
    said = "ganzo: warning: `--sync-batch-norm` has no effect: one process trains the run.\n"
    assert capsys.readouterr().err == said


def test_in_one_process_the_flag_is_a_warning(ganzo, tiny):
    said = ganzo(f"train {tiny} --experiment t --sync-batch-norm --generator conv")
    assert said.status == 0
    warned = "ganzo: warning: `--sync-batch-norm` has no effect: one process trains the run."
    assert said.err.splitlines().count(warned) == 1
