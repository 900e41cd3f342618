import pytest
import torch

from ganzo.assemble import assemble
from ganzo.data.arrays import ArrayData
from ganzo.errors import OptionError, RunError
from ganzo.launch import Ranks
from ganzo.nn import in_step, ranks
from ganzo.nn.draw import integers, uniform
from ganzo.nn.sampling import evaluating
from ganzo.nn.shares import SharedData, SharedNoise, check_share, shared
from ganzo.noise.gaussian import GaussianNoise
from small import small
from strangers import Centres
from two_ranks import shards, together


@pytest.fixture
def second(monkeypatch):
    """Makes this process the second of two, or of more, that take their shares and say nothing."""

    def become(count=2, **changed):
        monkeypatch.setattr(ranks, "_ranks", Ranks(1, count, talks=False, **changed))

    return become


def test_one_process_has_all_and_changes_nothing():
    value = torch.ones(2, requires_grad=True)
    assert (ranks.share(5), ranks.whole(5)) == (slice(0, 5), 5)
    assert ranks.mean(value) is value and ranks.summed(value) is value and ranks.gathered(value) is value
    assert in_step.by_rank(named := {"a": value}) is named
    data, noise = object(), object()
    assert shared(data, noise) == (data, noise)
    check_share(7)


def test_each_rank_has_its_rows(second):
    second(3)
    assert (ranks.share(6), ranks.whole(2)) == (slice(2, 4), 6)
    with ranks.alone():
        assert (ranks.share(6), ranks.whole(2)) == (slice(0, 6), 2)
    assert ranks.gathered(torch.tensor([4])).tolist() == [4, 4, 4]  # nobody is asked
    second(3, slices=False)
    assert (ranks.share(6), ranks.whole(2)) == (slice(0, 6), 2)


def test_what_is_drawn_for_the_whole_batch_is_shared(second):
    def drawn(rows):
        draw, like = torch.Generator().manual_seed(1), torch.zeros(2, 3)
        torch.manual_seed(2)
        yield uniform((rows, 3), like, draw)
        yield uniform((3, rows, 1), like, draw, batch=1).transpose(0, 1)
        yield integers(0, 99, (rows, 1), like, draw)
        yield uniform((rows, 2), like)  # of torch's own generator

    whole = list(drawn(8))
    second()
    assert [torch.equal(own, every[4:]) for own, every in zip(drawn(4), whole, strict=True)] == [True] * 4


def test_every_rank_draws_the_noise_of_all_and_keeps_its_own(second):
    whole, own = (GaussianNoise(state_size=3, batch_size=8, seed=1) for _ in range(2))
    second()
    noise = SharedNoise(own)
    assert torch.equal(noise.next(4, torch.tensor([0, 1, 0, 1])), whole.next(8)[4:])
    assert torch.equal(noise.next(), whole.next()[4:])  # of a batch
    assert torch.equal(noise.sample(4, 5), whole.sample(4, 5))  # what is shown is not shared
    assert torch.equal(noise.state_dict()["generator"], whole.state_dict()["generator"])
    assert noise.size == 3


def test_noise_that_looks_at_labels_is_told_those_of_the_whole_batch(second, monkeypatch):
    asked = []
    monkeypatch.setattr(ranks, "gathered", lambda labels: asked.append(labels) or torch.cat([labels, labels]))
    second()

    class Options:
        state_size, batch_size, seed = 2, 4, 1

    labels = torch.tensor([5, 6])
    drawn = SharedNoise(Centres(Options)).next(2, labels)
    assert torch.equal(drawn, Centres(Options).next(4, labels.repeat(2))[2:])
    assert len(asked) == 1
    SharedNoise(GaussianNoise(state_size=2, seed=1)).next(2, labels)
    assert len(asked) == 1  # it does not look at them


def test_data_hand_out_the_rows_of_a_rank_and_go_on_after_those_of_all(second):
    images = torch.arange(9, dtype=torch.uint8).reshape(9, 1, 1, 1)
    whole, own = (ArrayData(images, images.flatten().int(), batch_size=4, seed=1) for _ in range(2))
    second()
    for _ in range(2):
        batch = own.next()
        with ranks.alone():
            every = whole.next()
        assert torch.equal(batch.image, every.image[2:]) and torch.equal(batch.label, every.label[2:])
    # restored by any rank
    assert own.state_dict() | {"generator": 0} == whole.state_dict() | {"generator": 0}
    assert own.next() is None
    assert len(own.reference().next()) == 4  # in a fixed order all are handed out
    with ranks.alone():
        own.reset()
        assert len(own.next()) == 4


def test_a_strangers_batches_are_cut_into_shares(second):
    class Stranger:
        def __init__(self):
            self.left, self.kind = [(torch.arange(n), torch.arange(n)) for n in (4, 3, 1)], "stranger"

        def next(self):
            return self.left.pop(0) if self.left else None

    second()
    data = SharedData(Stranger())
    batch = data.next()
    assert batch.image.tolist() == batch.label.tolist() == [2, 3]
    assert data.next().image.tolist() == [1]  # the third of three is left over
    assert data.next() is None  # one for two ranks
    assert data.next() is None
    assert data.kind == "stranger"
    assert shared(own := ArrayData(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), batch_size=4), None)[0] is own


@pytest.mark.parametrize(("size", "count", "fits"), [(33, 2, "32 or 34"), (64, 3, "63 or 66"), (2, 4, "4")])
def test_a_batch_that_cannot_be_shared_is_refused_with_one_that_can(second, size, count, fits):
    second(count)
    with pytest.raises(OptionError) as refused:
        check_share(size)
    assert str(refused.value) == (
        f"`--batch-size` is that of all {count} processes together, each of which takes an equal share, so it must be a"
        f" multiple of {count}; got {size}. Choose {fits}."
    )


def test_a_run_whose_batch_cannot_be_shared_is_refused_before_its_data_are_read(second):
    second()
    with pytest.raises(OptionError, match=r"must be a multiple of 2; got 33\. Choose 32 or 34\."):
        assemble(small(batch_size=33, data_dir="nowhere", dataset="folder"))


def test_samples_are_drawn_by_every_rank_for_itself(second):
    second()
    with evaluating(torch.nn.Linear(1, 1)):
        assert ranks.ranks().count == 1
    assert ranks.ranks().count == 2


def test_totals_of_other_ranks_are_averaged_where_their_number_changed(second):
    totals = torch.tensor([1.0, 4.0])
    assert in_step.own(totals).item() == 2.5
    second()
    assert in_step.own(totals).item() == 4
    assert in_step.own(torch.tensor(3.0)).item() == 3
    second(4)
    assert in_step.own(totals).item() == 2.5


def test_shards_are_disjoint_and_cover_each_batch():
    found = [together().tensors[rank]["shards"] for rank in range(2)]
    whole, fixed = shards()
    assert torch.equal(torch.cat(found, 1), whole)
    assert whole.shape == (4, 4) and all(len(set(row.tolist())) == 4 for row in whole)
    assert all(torch.equal(together().tensors[rank]["fixed"], fixed) for rank in range(2))


def test_a_program_that_has_met_the_others_by_itself_is_told(monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ranks.dist, "is_initialized", lambda: True)
    with pytest.raises(RunError, match="a process group is there already; leave `init_process_group` out"):
        ranks.join()


def test_what_ranks_say_to_each_other():
    for rank in range(2):
        found = together().of(rank, "spoken")
        assert found["slope"].item() == 6  # half of d/dm 3 m² at m = 2
        assert [found[f"average {n}"].tolist() for n in range(2)] == [[0.5] * 2, [1.5] * 3]
        assert found["average 2"].item() == pytest.approx((1 / 3 + 1 / 4) / 2, abs=1e-16)
        assert (found["gradient"].item(), found["none"].item()) == (1.5, True)
        assert found["broadcast"].tolist() == [[7, 7]]
        assert found["level"].tolist() == pytest.approx([0.1, 0.1])
        assert found["count"].item() == rank  # a count is no fraction
        assert found["by rank a"].tolist() == [0, 1] and found["by rank b"].tolist() == [2, 2]
        assert found["own"].item() == rank
        assert found["gathered"].tolist() == [[0, 5], [1, 5]]
        assert found["muted"].tolist() == [rank, rank]
        assert found["alone"].item() == rank


def test_a_gradient_that_overflows_on_one_rank_is_left_out_on_all():
    for rank in range(2):
        assert together().tensors[rank]["not finite"].tolist() == [1, 0]
