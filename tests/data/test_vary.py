"""Mirroring and moving windows: what is drawn, that all pictures of an example are alike, and that a run goes on."""

import pytest
import torch

from ganzo.data import Batch
from ganzo.data.batches import StoredData
from ganzo.data.digits import DigitsSource
from ganzo.data.single_image import SingleImageData
from ganzo.data.vary import Vary, larger


def places(count, height, width):
    """Examples whose values say where they lie: 16 · row + column."""
    values = 16 * torch.arange(height)[:, None] + torch.arange(width)
    return values.to(torch.uint8).expand(count, 1, height, width).contiguous()


def data(count=400, batch_size=200, seed=1, **change):
    images = places(count, 5, 6)
    examples = Batch(images, torch.arange(count), images + 100, images)
    return StoredData(examples, batch_size=batch_size, seed=seed, vary=Vary(seed, **change))


def test_half_of_the_examples_are_mirrored():
    batch = data(flip=True).next()
    mirrored = batch.image[:, 0, 0, 0] == 5
    assert 70 < int(mirrored.sum()) < 130 and batch.image.shape == (200, 1, 5, 6)
    plain = places(200, 5, 6)
    assert torch.equal(batch.image, torch.where(mirrored[:, None, None, None], plain.flip(3), plain))


def test_windows_are_taken_from_every_place():
    batch = data(window=(3, 5)).next()
    assert batch.image.shape == (200, 1, 3, 5)
    top, left = batch.image[:, 0, 0, 0] // 16, batch.image[:, 0, 0, 0] % 16
    assert set(zip(top.tolist(), left.tolist(), strict=True)) == {(t, s) for t in range(3) for s in range(2)}
    whole = places(200, 5, 6)
    for number in range(200):
        t, s = int(top[number]), int(left[number])
        assert torch.equal(batch.image[number], whole[number, :, t : t + 3, s : s + 5])


def test_all_pictures_of_an_example_are_changed_alike():
    varied = data(flip=True, window=(4, 4))
    batch = varied.next()
    assert torch.equal(batch.image + 100, batch.target) and torch.equal(batch.image, batch.mask)
    assert len(set(batch.image[:, 0, 0, 0].tolist())) == 12 and batch.label.shape == (200,)
    assert varied.image_size == 4 and data(window=(3, 5)).image_size == "5x3"


def test_every_pass_is_changed_anew_and_the_order_is_that_of_unchanged_data():
    varied, plain = (
        data(flip=True),
        StoredData(Batch(places(400, 5, 6), torch.arange(400)), batch_size=200, seed=1),
    )
    first = varied.next()
    assert torch.equal(first.label, plain.next().label)
    varied.reset(), plain.reset()
    second = varied.next()
    assert torch.equal(second.label, plain.next().label) and not torch.equal(first.image, second.image)
    assert torch.equal(data(flip=True).next().image, first.image)
    assert not torch.equal(data(flip=True, seed=2).next().image, first.image)
    assert not torch.equal(data(flip=True, seed=None).next().image, data(flip=True, seed=None).next().image)


@pytest.mark.parametrize("passes, batches", [(0, 0), (0, 3), (1, 2), (2, 7)])
def test_a_saved_position_goes_on_the_same_inside_a_pass(tmp_path, passes, batches):
    kind = {"batch_size": 50, "flip": True, "window": (3, 4)}
    one = data(**kind)
    for _ in range(passes):
        while one.next() is not None:
            pass
        one.reset()
    for _ in range(batches):
        one.next()
    torch.save(one.state_dict(), tmp_path / "state.pt")
    other = data(**kind | {"seed": 9})
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for _ in range(20):
        batch, again = one.next(), other.next()
        if batch is None:
            assert again is None
            one.reset(), other.reset()
        else:
            assert torch.equal(batch.image, again.image) and torch.equal(batch.label, again.label)


def test_a_state_without_changes_leaves_them_alone():
    plain = StoredData(data().examples, batch_size=200, seed=1)
    varied = data(flip=True)
    varied.load_state_dict(plain.state_dict())
    assert torch.equal(varied.next().label, plain.next().label)


def test_what_is_compared_with_is_not_changed():
    reference = data(flip=True, window=(3, 4)).reference()
    batch, middle = reference.next(), places(200, 5, 6)[:, :, 1:4, 1:5]
    assert torch.equal(batch.image, middle) and torch.equal(batch.target, middle + 100)
    assert batch.label.tolist() == list(range(200))
    assert reference.image_size == "4x3"


def test_the_side_that_windows_are_taken_from():
    assert [larger(side) for side in (1, 4, 8, 9, 64, 256)] == [2, 5, 9, 11, 72, 288]


def test_pictures_are_packed_larger_for_windows():
    kind = {"image_size": 16, "image_colors": 1, "batch_size": 50, "seed": 0}
    plain = SingleImageData(DigitsSource(), **kind | {"image_size": 18})
    cropped = SingleImageData(DigitsSource(), random_crop=True, **kind)
    assert torch.equal(plain.examples.image, cropped.examples.image) and cropped.image_size == 16
    batch = cropped.next()
    assert batch.image.shape == (50, 1, 16, 16) and torch.equal(batch.label, plain.next().label)
    held = cropped.held_out()
    assert (held.image_size, held.classes) == (16, 10)
    assert torch.equal(held.next().image, plain.held_out().next().image[:, :, 1:17, 1:17])
    wide = SingleImageData(DigitsSource(), random_crop=True, **kind | {"image_size": "16x8"})
    assert wide.next().image.shape == (50, 1, 8, 16) and wide.image_size == "16x8"
    assert wide.examples.image.shape[2:] == (9, 18)


def test_flipping_alone_uses_the_same_store():
    kind = {"image_size": 8, "image_colors": 1, "batch_size": 50, "seed": 0}
    plain, flipped = (
        SingleImageData(DigitsSource(), **kind),
        SingleImageData(DigitsSource(), random_flip=True, **kind),
    )
    assert torch.equal(plain.examples.image, flipped.examples.image)
    batch, same = flipped.next(), plain.next()
    mirrored = (batch.image != same.image).flatten(1).any(1)
    assert 10 < int(mirrored.sum()) < 40 and torch.equal(batch.image[mirrored], same.image[mirrored].flip(3))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("share", [0.25, 0.0])
def test_on_a_device_the_changes_are_the_same(monkeypatch, share):
    monkeypatch.setattr("ganzo.data.batches.RESIDENT", share)
    here = data(flip=True, window=(3, 4))
    there = StoredData(
        here.examples, batch_size=200, seed=1, vary=Vary(1, flip=True, window=(3, 4)), device="cuda"
    )
    batch = there.next()
    assert batch.image.is_cuda == (share > 0) and torch.equal(batch.image.cpu(), here.next().image)
