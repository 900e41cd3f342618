"""What stored data keep of every example beside its pixels: as little as they can."""

import sys
import tempfile
from pathlib import Path

import pytest
import torch

from ganzo.data import Batch
from ganzo.data.batches import MANY, StoredData
from ganzo.data.digits import DigitsSource
from ganzo.data.folder import FolderSource
from ganzo.data.single_image import SingleImageData
from ganzo.data.vary import Vary
from ganzo.nn.random import stream


def data(count=300, **values):
    examples = Batch(torch.arange(count, dtype=torch.int16).to(torch.uint8).reshape(count, 1, 1, 1))
    return StoredData(examples, batch_size=7, seed=5, **values)


def test_the_order_of_a_pass_takes_four_bytes_and_is_that_of_eight():
    found, random = data(), stream(5, "data")
    for _ in range(2):
        assert found.order.dtype == torch.int32
        assert torch.equal(found.order.long(), torch.randperm(300, generator=random))
        assert found.next().image.flatten().tolist() == (found.order[:7] % 256).tolist()
        found.reset()
    assert torch.equal(data(shuffle=False).order, torch.arange(300, dtype=torch.int32))


def mapped_from(tensor):
    """What the memory of a tensor is mapped from, as Linux tells; nothing, or `[heap]`, for private memory."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, *_, path = [*line.split(maxsplit=5), ""][:6]
        start, end = (int(number, 16) for number in place.split("-"))
        if start <= tensor.data_ptr() < end:
            return path
    return ""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells what memory is mapped from")
def test_the_order_of_many_is_mapped_from_a_file_that_has_no_name():
    few, many = data(), data(MANY + 1)
    assert mapped_from(few.order) in ("", "[heap]") and mapped_from(many.order).endswith("(deleted)")
    assert torch.equal(many.order.long(), torch.randperm(MANY + 1, generator=stream(5, "data")))
    assert torch.equal(data(MANY, shuffle=False).order, torch.arange(MANY, dtype=torch.int32))


def test_a_full_disk_does_not_end_the_process(tmpfs, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmpfs()))  # 64 KiB, and the order takes four times as much
    assert torch.equal(data(MANY).order.long(), torch.randperm(MANY, generator=stream(5, "data")))


def test_places_of_windows_are_kept_where_there_are_windows():
    whole, windows = Vary(1, flip=True), Vary(1, flip=True, window=(1, 1))
    for vary in (whole, windows):
        vary.reset(50, (2, 2), torch.device("cpu"))
    assert len(whole.top) == len(whole.left) == 0 and len(whole.mirrored) == 50
    assert len(windows.top) == len(windows.left) == 50


@pytest.mark.parametrize("held_out", [True, False])
def test_a_source_that_holds_nothing_out_is_let_go_when_it_has_been_read(held_out, own_folder):
    from PIL import Image

    for number in range(2):
        Image.new("L", (4, 4), number).save(own_folder / f"{number}.png")
    source = DigitsSource() if held_out else FolderSource(data_dir=str(own_folder))
    found = SingleImageData(source, image_size=4, image_colors=1, batch_size=2)
    assert (found.source is source) == held_out and (found.held_out() is not None) == held_out
    assert found.next().image.shape == (2, 1, 4, 4)
