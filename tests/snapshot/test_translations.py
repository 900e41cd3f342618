from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganzo.snapshot
from ganzo.errors import OptionError
from ganzo.nn.batch import Batch
from ganzo.nn.grid import SMALLEST, grid, translations
from ganzo.snapshot import FolderSnaphot, TensorBoardSnaphot
from ganzo.snapshot.folder import FolderSnapshot
from ganzo.snapshot.tensorboard import TensorBoardSnapshot
from pairs import TRANSLATES, inverted, pair_pictures
from small import equal, play

SIDE = SMALLEST


class Half(nn.Module):
    """Makes half of what it sees."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, images, labels=None):
        return self.factor * images


class Kept(FolderSnapshot):
    """Keeps pictures in memory."""

    def write(self, picture, number):
        self.picture = picture


def cells(picture, columns):
    """The grey values in the middle of each image of a grid."""
    gap = max(2, SIDE // 12)
    at = slice(gap + SIDE // 2, None, SIDE + gap)
    rows = picture[0, at, at].tolist()
    assert all(len(row) == columns for row in rows)
    return rows


def taken(count=2, **named):
    snapshot = Kept(translates=True, **named)
    data = inverted(count, SIDE, 2)
    shades = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, SIDE, SIDE) * 10
    data.examples = Batch(shades, None, 255 - shades)
    position = data.state_dict()
    snapshot.take(data, None, Half(), 1)
    assert equal(position, data.state_dict())
    return snapshot.picture


def half(value):
    return round((value / 127.5 - 1) * 0.5 * 127.5 + 127.5)


def test_generated_input_and_target_stand_side_by_side():
    assert cells(taken(2, snapshot_size=2), 3) == [[half(0), 0, 255], [half(10), 10, 245]]


def test_rows_hold_whole_triples():
    rows = cells(taken(12, snapshot_size=12), 6)  # two triples in a row
    flat = [value for row in rows for value in row]
    assert flat == [v for n in range(12) for v in (half(10 * n), 10 * n, 255 - 10 * n)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 16, 17, 64])
def test_columns_are_a_multiple_of_three(n):
    images = torch.zeros(n, 1, SIDE, SIDE)
    gap = max(2, SIDE // 12)
    assert (translations(images, images, images).shape[2] - gap) // (SIDE + gap) % 3 == 0


def test_of_few_examples_all_are_shown():
    assert len(cells(taken(2, snapshot_size=16), 3)) == 2


def test_without_triples_the_generated_images_stand_alone():
    assert cells(taken(4, snapshot_size=4, snapshot_translate=False), 2) == [
        [half(0), half(10)],
        [half(20), half(30)],
    ]


@pytest.mark.parametrize(
    ("colors", "shown"), [((1, 1, 1), 1), ((3, 1, 3), 3), ((1, 3, 1), 3), ((1, 5, 2), 1)]
)
def test_other_numbers_of_channels_are_brought_together(colors, shown):
    made, start, target = (
        torch.full((2, c, SIDE, SIDE), v) for c, v in zip(colors, (-1.0, 0.0, 1.0), strict=True)
    )
    picture = translations(made, start, target)
    assert picture.shape[0] == shown and cells(picture, 3) == [[0, 128, 255]] * 2
    grey = [images[:, :1] for images in (made, start, target)]
    assert torch.equal(picture[:1], grid(torch.stack(grey, 1).flatten(0, 1), 3))


def test_triples_need_a_game_that_translates():
    with pytest.raises(OptionError, match=r"`--snapshot-translate` shows .* choose `--game translate`"):
        FolderSnapshot(snapshot_translate=True)
    FolderSnapshot(snapshot_translate=False)
    with pytest.raises(OptionError, match="needs a game that translates"):
        play(save_images_as=["folder"], snapshot_translate=True)


def test_a_dry_run_refuses_it_too(refused, tiny):
    assert "needs a game that translates" in refused(f"{tiny} --dry-run --snapshot-translate")


@pytest.mark.parametrize("asked", [None, True, False])
def test_a_run_writes_them(own_folder, asked):
    folder = pair_pictures(own_folder / "shoes")
    play(
        **TRANSLATES, loss="pix2pix", data_dir=folder, save_images_as=["folder", "tensorboard"], sample_every=1,
        snapshot_size=4, snapshot_translate=asked,
    )  # fmt: skip
    with Image.open("output/run/samples/epoch_2.png") as picture:
        wide = picture.width / picture.height
    assert wide == pytest.approx(1.0 if asked is False else 3 / 4, abs=0.05)
    assert Path("output/run/samples/epoch_1.png").exists()


def test_dropout_is_drawn_by_the_seed_of_the_snapshot(own_folder):
    """The generator stands still, so only its dropout can change the picture."""
    folder = pair_pictures(own_folder / "shoes")
    options = {**TRANSLATES, "data_dir": folder, "generator_lr": 1e-30, "save_images_as": ["folder"]}
    options |= {"sample_every": 1, "snapshot_size": 4, "epochs": 1, "start_epoch": 3}
    found = []
    for name, more in (("a", {}), ("b", {}), ("c", {"start_epoch": 4})):
        play(experiment=name, **options | more)
        with Image.open(next(Path(f"output/{name}/samples").iterdir())) as picture:
            found.append(np.asarray(picture))
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


def test_older_spellings_are_the_same_classes():
    assert FolderSnaphot is FolderSnapshot and TensorBoardSnaphot is TensorBoardSnapshot
    assert ganzo.snapshot.FolderSnaphot is ganzo.snapshot.FolderSnapshot
