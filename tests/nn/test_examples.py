import pytest
import torch
from torch import nn

from ganzo.errors import DataError
from ganzo.nn.batch import Batch
from ganzo.nn.examples import Examples, as_pair
from ganzo.nn.sampling import BATCHES, settle, translate_images
from pairs import inverted
from small import equal


def numbered(count=7, batch_size=3, labels=True):
    """Pairs whose input is their number, and whose target is ten times that."""
    data = inverted(count, 2, batch_size, labels=torch.arange(count) if labels else None)
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    data.examples = Batch(images, data.examples.label, 10 * images)
    return data


def numbers_of(batch):
    return [round(x) for x in ((batch.image[:, 0, 0, 0] + 1) * 127.5).tolist()]


def test_pairs_come_as_the_players_see_them_in_a_fixed_order():
    batches = list(Examples(numbered(), "cpu").once())
    assert [numbers_of(batch) for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert batches[0].image.dtype == torch.float32 and batches[0].image.min() == -1
    assert torch.allclose(batches[1].target[0, 0, 0, 0], torch.tensor(30 / 127.5 - 1))
    assert batches[2].label.tolist() == [6] and batches[2].label.dtype == torch.int64


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10])
def test_groups_go_round(n):
    groups = Examples(numbered(), "cpu").groups(n)
    found = [number for _ in range(12) for number in numbers_of(next(groups))]
    assert found == [number % 7 for number in range(12 * n)]


@pytest.mark.parametrize(
    ("n", "expected"), [(4, [[0, 1, 2, 3], [4, 5, 6]]), (7, [[*range(7)]]), (9, [[*range(7)]])]
)
def test_groups_may_end(n, expected):
    groups = list(Examples(numbered(), "cpu").groups(n, around=False))
    assert [numbers_of(batch) for batch in groups] == expected
    assert [batch.label.tolist() for batch in groups] == expected


def test_each_reading_begins_at_the_first_and_leaves_no_trace():
    data = numbered(labels=False)
    data.next()
    examples, position = Examples(data, "cpu"), data.state_dict()
    first = next(examples.groups(2))
    assert equal(numbers_of(next(examples.groups(2))), numbers_of(first)) and first.label is None
    assert equal(data.state_dict(), position)


class Bare:
    """Data that only offer what they must."""

    def next(self):
        return None


def test_data_without_a_fixed_order_are_refused():
    with pytest.raises(DataError, match=r"the data's `reference\(\)` gives; `Bare` gives none"):
        next(Examples(Bare(), "cpu").groups(2))


def test_data_without_examples_do_not_go_round_for_ever():
    class Empty(Bare):
        def reference(self):
            return self

        def reset(self):
            pass

    with pytest.raises(DataError, match="`Empty` gives none"):
        next(Examples(Empty(), "cpu").groups(2))


def test_older_pairs_are_pairs():
    one, two = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    batch = as_pair((one, two))
    assert batch.target is two and batch.label is None
    assert as_pair(pair := Batch(one, None, two)) is pair
    for single in ((one, torch.arange(2)), (one, None), Batch(one)):
        with pytest.raises(
            DataError, match="A translation needs a target for each input, and these data hand out none"
        ):
            as_pair(single)


class Shade(nn.Module):
    """Images to images, with batch norm, dropout, and labels."""

    def __init__(self):
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm2d(1), nn.Dropout(0.5)
        self.asked = []

    def forward(self, images, labels=None):
        self.asked.append((len(images), labels, self.training))
        noise = torch.nn.functional.dropout(torch.ones_like(images), 0.5, training=True)  # as pix2pix has it
        return (self.norm(images) * noise).tanh()


def drawn(shade, seed, n=5, count=1, **named):
    found = translate_images(shade, Examples(numbered(), "cpu"), n, seed, **named)
    return [made for _, (_, made) in zip(range(count), found, strict=False)]


def test_the_same_seed_gives_the_same_images_and_each_group_has_its_own():
    shade = Shade()
    (one,), (same,), (other,) = (drawn(shade, seed) for seed in (1, 1, 2))
    assert one.shape == (5, 1, 2, 2) and not one.requires_grad
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert not torch.equal(*(drawn(shade, None)[0] for _ in range(2)))
    assert not torch.equal(*drawn(shade, 1, n=7, count=2))  # the same inputs once more, with the seed 2


def test_images_come_in_batches_with_their_labels():
    shade = Shade()
    drawn(shade, 1)
    assert [(size, labels.tolist()) for size, labels, _ in shade.asked] == [(3, [0, 1, 2]), (2, [3, 4])]


def test_translating_leaves_no_trace():
    shade = Shade().train()
    before = {key: value.clone() for key, value in shade.state_dict().items()}
    state = torch.get_rng_state()
    drawn(shade, 1)
    drawn(shade, None)
    assert shade.training and equal(dict(shade.state_dict()), before)
    assert torch.equal(torch.get_rng_state(), state)


def test_statistics_of_an_average_are_estimated_from_inputs():
    shade, data = Shade().eval(), numbered(6)
    shade.stale = True
    settle(shade, Examples(data, "cpu"))
    assert not shade.stale and shade.norm.num_batches_tracked == BATCHES
    # as many as in training
    assert len(shade.asked) == BATCHES and {size for size, _, _ in shade.asked} == {3}
    mean = torch.tensor([1.0, 4.0]).mean() / 127.5 - 1  # of the batches 0, 1, 2 and 3, 4, 5
    assert torch.allclose(shade.norm.running_mean, mean, atol=1e-5)


def test_a_batch_that_runs_past_the_end_is_filled_from_the_start():
    shade = Shade().eval()
    shade.stale = True
    settle(shade, Examples(numbered(4), "cpu"))
    assert {size for size, _, _ in shade.asked} == {3}


def test_without_examples_statistics_stay():
    shade = Shade().eval()
    shade.stale = True
    settle(shade, Examples(Bare(), "cpu"))
    assert shade.norm.num_batches_tracked == 0 and not shade.asked
