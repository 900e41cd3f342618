"""Batches: every example once per pass, the same order again from any saved position."""

import copy
from argparse import Namespace
from itertools import chain

import pytest
import torch
from PIL import Image

from ganzo.data import Batch, Data
from ganzo.data.batches import StoredData
from ganzo.data.digits import DigitsSource
from ganzo.data.folder import FolderSource
from ganzo.data.single_image import SingleImageData
from ganzo.errors import DataError


def numbered(count=11, **kind):
    """Examples whose pixels and labels are their numbers."""
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 1, 2, 2).contiguous()
    return StoredData(Batch(images, torch.arange(count)), class_names=[str(i) for i in range(count)], **kind)


def passed(data):
    """The labels of the rest of the pass, batch by batch."""
    found = []
    while (batch := data.next()) is not None:
        assert torch.equal(batch.image[:, 0, 0, 0].long(), batch.label)
        found.append(batch.label.tolist())
    return found


def test_every_example_is_seen_once_and_the_incomplete_batch_is_dropped():
    data = numbered(11, batch_size=3, seed=1)
    first = passed(data)
    assert data.batches == 3 and [len(batch) for batch in first] == [3, 3, 3]
    assert len(set(chain(*first))) == 9
    assert data.next() is None  # until the next pass begins
    data.reset()
    second = passed(data)
    assert len(set(chain(*second))) == 9 and second != first
    whole = numbered(12, batch_size=3, seed=1)
    assert sorted(chain(*passed(whole))) == list(range(12))


def test_a_fixed_order_hands_out_everything():
    data = numbered(11, batch_size=4, shuffle=False)
    assert passed(data) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]] and data.batches == 3
    data.reset()
    assert data.next().label.tolist() == [0, 1, 2, 3]
    assert numbered(2, batch_size=4, shuffle=False).batches == 1


def test_the_seed_decides_the_order():
    assert passed(numbered(batch_size=3, seed=1)) == passed(numbered(batch_size=3, seed=1))
    assert passed(numbered(batch_size=3, seed=1)) != passed(numbered(batch_size=3, seed=2))
    assert passed(numbered(100, batch_size=100)) != passed(numbered(100, batch_size=100))


@pytest.mark.parametrize("passes, batches", [(0, 0), (0, 2), (1, 0), (2, 1), (1, 3)])
def test_a_saved_position_goes_on_the_same(tmp_path, passes, batches):
    data = numbered(batch_size=3, seed=1)
    for _ in range(passes):
        passed(data)
        data.reset()
    for _ in range(batches):
        data.next()
    torch.save(data.state_dict(), tmp_path / "state.pt")
    restored = numbered(batch_size=3, seed=5)
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for _ in range(3):
        assert passed(restored) == passed(data)
        data.reset()
        restored.reset()


def test_a_saved_state_does_not_move_with_the_data():
    data = numbered(batch_size=3, seed=1)
    state, rest = data.state_dict(), passed(data)
    data.reset()
    data.load_state_dict(state)
    assert passed(data) == rest


def test_a_state_of_other_data_is_refused():
    with pytest.raises(DataError, match="that it began with: 12 pictures; got 11 in `data`"):
        numbered(11, batch_size=3).load_state_dict(numbered(12, batch_size=3).state_dict())


def test_a_state_of_changed_data_is_refused():
    one, other = numbered(11, batch_size=3), numbered(11, batch_size=3)
    other.examples.image[3] = 200
    sentence = r"that it began with: the pictures or labels of `data` have changed since\. Give it those data"
    with pytest.raises(DataError, match=sentence):
        other.load_state_dict(one.state_dict())
    older = {key: value for key, value in one.state_dict().items() if key != "content"}
    other.load_state_dict(older)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(
        DataError, match=r"A batch of 12 .* got 11 in `data`\. Lower `--batch-size` to at most 11"
    ):
        numbered(11, batch_size=12)


def test_changing_a_batch_leaves_the_data_alone():
    data = numbered(4, batch_size=4, shuffle=False)
    data.next().image.zero_()
    data.reset()
    assert data.next().image[3, 0, 0, 0] == 3


def write_folder(tmp_path):
    for i in range(6):
        (tmp_path / "in" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (i, 0, 0)).save(tmp_path / "in" / "ab"[i % 2] / f"{i}.png")


def test_a_folder_becomes_batches(tmp_path):
    write_folder(tmp_path)
    data = SingleImageData(FolderSource(data_dir="in"), image_size=4, batch_size=3, seed=0)
    assert (data.image_size, data.image_colors, data.classes, data.class_names) == (4, 3, 2, ("a", "b"))
    images, labels = data.next()
    assert images.shape == (3, 3, 4, 4) and images.dtype == torch.uint8
    assert (images[:, 0, 0, 0] % 2).tolist() == labels.tolist()
    assert data.held_out() is None and data.batches == 2 and data.bad == []


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_pictures_need_not_be_squares(tmp_path, resize):
    write_folder(tmp_path)
    data = SingleImageData(FolderSource(data_dir="in"), image_size="6x4", resize=resize, batch_size=3)
    assert data.image_size == "6x4" and data.next().image.shape == (3, 3, 4, 6)
    square = SingleImageData(FolderSource(data_dir="in"), image_size="4x4", resize=resize, batch_size=3)
    assert square.image_size == 4 and data.reference().image_size == "6x4"


def test_options_build_what_they_say(tmp_path):
    write_folder(tmp_path)
    options = Namespace(
        data_dir="in",
        image_size="8x16",
        image_colors=1,
        resize="pad",
        random_flip=True,
        random_crop=True,
        image_class="b",
        subset=2,
        subset_seed=4,
        batch_size=1,
        seed=3,
    )
    data = Data.from_options(options)
    assert data.image_size == "8x16" and data.examples.image.shape == (2, 1, 18, 9) and data.classes == 0
    assert data.packing["resize"] == "pad" and data.vary.flip and data.next().image.shape == (1, 1, 16, 8)


def test_the_reference_of_data_without_a_held_out_part_keeps_the_classes(tmp_path):
    write_folder(tmp_path)
    data = SingleImageData(FolderSource(data_dir="in"), image_size=4, batch_size=6, seed=0)
    reference = data.reference()
    assert (reference.classes, reference.class_names) == (2, ("a", "b"))
    assert torch.equal(reference.next().image, data.examples.image)


def test_pinned_memory_is_for_a_device(capsys):
    for pin_memory in (False, None, True):
        assert not numbered(batch_size=3, pin_memory=pin_memory).next().image.is_pinned()
    assert capsys.readouterr().err.count("`--pin-memory` has no effect on `cpu`") == 1


def test_pictures_without_classes_have_no_labels(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "in" / "a.png")
    data = SingleImageData(FolderSource(data_dir="in"), image_size=4, batch_size=1)
    assert data.next().label is None and data.classes == 0


def test_options_build_the_same(tmp_path):
    write_folder(tmp_path)
    options = Namespace(data_dir="in", image_size=4, image_colors=1, batch_size=2, seed=3, loader_workers=0)
    built = Data.from_options(options)
    data = SingleImageData(FolderSource(data_dir="in"), image_size=4, image_colors=1, batch_size=2, seed=3)
    assert isinstance(built, SingleImageData) and built.packing["workers"] == 0
    assert torch.equal(built.next().image, data.next().image)


def test_the_fingerprint_is_of_the_content(tmp_path):
    write_folder(tmp_path)
    stored = SingleImageData(FolderSource(data_dir="in"), image_size=4, batch_size=2)
    source = FolderSource(data_dir="in")
    source.in_memory = True
    held = SingleImageData(source, image_size=4, batch_size=2)
    assert stored.fingerprint() == held.fingerprint()
    assert stored.fingerprint() != SingleImageData(source, image_size=5, batch_size=2).fingerprint()


def test_what_is_held_out_comes_in_a_fixed_order():
    data = SingleImageData(DigitsSource(), image_size=8, image_colors=1, batch_size=50, seed=0)
    held = data.held_out()
    assert (held.image_size, held.image_colors, held.classes, held.batch_size) == (8, 1, 10, 50)
    labels = torch.cat([held.next().label for _ in range(held.batches)])
    assert held.next() is None and labels.tolist() == DigitsSource(digits_part="test").labels


def test_data_can_be_copied():
    data = SingleImageData(DigitsSource(digits_part="test"), image_size=8, batch_size=50, seed=0)
    data.next()
    assert torch.equal(copy.deepcopy(data).next().image, data.next().image)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("pin_memory", [True, False, None])
def test_memory_is_pinned_as_asked_for(monkeypatch, pin_memory):
    monkeypatch.setattr("ganzo.data.batches.RESIDENT", 0.0)
    data = numbered(batch_size=3, seed=1, device="cuda", pin_memory=pin_memory)
    assert data.next().image.is_pinned() == (pin_memory is not False)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("share", [0.25, 0.0])
def test_on_a_device_the_order_is_the_same(monkeypatch, share):
    monkeypatch.setattr("ganzo.data.batches.RESIDENT", share)
    here, there = numbered(batch_size=3, seed=1), numbered(batch_size=3, seed=1, device="cuda")
    batch = there.next()
    assert batch.image.is_cuda == (share > 0) and batch.image.is_pinned() == (share == 0)
    assert batch.label.tolist() == here.next().label.tolist()
    here.load_state_dict(there.state_dict())
    assert passed(here) == passed(there)
