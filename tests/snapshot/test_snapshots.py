from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganzo.nn.grid import grid
from ganzo.nn.sampling import sample_images
from ganzo.snapshot.folder import FolderSnapshot
from ganzo.snapshot.tensorboard import TensorBoardSnapshot
from small import READS_LABELS, equal, everything, pictures, play

SAMPLES = Path("output/run/samples")
EACH = {"save_images_as": ["folder"], "sample_every": 1, "snapshot_size": 20}


def written():
    return sorted(path.name for path in SAMPLES.iterdir())


def test_a_snapshot_has_one_column_for_each_class():
    run = play(epochs=1, **EACH, **READS_LABELS)
    labels = torch.arange(20) % 10
    expected = grid(sample_images(run.game.sampler, run.noise, 20, 1, labels, 10), 10)
    with Image.open(SAMPLES / "epoch_1.png") as picture:
        assert picture.format == "PNG" and picture.mode == "L"
        assert picture.width > 4 * picture.height and np.array_equal(np.asarray(picture), expected[0].numpy())


def test_a_generator_that_reads_no_labels_has_no_columns():
    play(epochs=1, **EACH | {"snapshot_size": 16})
    with Image.open(SAMPLES / "epoch_1.png") as picture:
        assert picture.width == picture.height


def test_without_classes_it_is_a_square_in_colour(tmp_path):
    folder = pictures(tmp_path / "pictures", classes=1)
    play(
        epochs=1,
        dataset="folder",
        data_dir=folder,
        image_colors=3,
        batch_size=4,
        **EACH | {"snapshot_size": 16},
    )
    with Image.open(SAMPLES / "epoch_1.png") as picture:
        assert picture.mode == "RGB" and picture.width == picture.height


def test_they_are_taken_when_they_are_due_and_at_the_end():
    play(epochs=5, **EACH | {"sample_every": 2})
    assert written() == ["epoch_2.png", "epoch_4.png", "epoch_5.png"]


def test_a_run_that_ends_with_one_takes_no_other():
    play(epochs=4, **EACH | {"sample_every": 2}, start_epoch=11)
    assert written() == ["epoch_12.png", "epoch_14.png"]


def test_numbers_go_on_after_a_restore():
    play(epochs=2, **EACH)
    play(epochs=3, restore=True, **EACH)
    assert written() == ["epoch_1.png", "epoch_2.png", "epoch_3.png"]


def taken(run, **changed):
    """Two pictures of a generator that stands still."""
    play(experiment=run, epochs=2, generator_lr=1e-30, **EACH | changed)
    return [Path(f"output/{run}/samples/epoch_{n}.png").read_bytes() for n in (1, 2)]


def test_fixed_noise_is_the_same_and_fresh_noise_is_not():
    one, two = taken("fixed", sample_from_fixed_noise=True)
    assert one == two
    one, two = taken("fresh", sample_from_fixed_noise=False)
    assert one != two
    assert taken("again", sample_from_fixed_noise=False) == [one, two]  # yet it can be repeated


@pytest.mark.parametrize(
    "more",
    [{}, {"generator_hook": ["ema"], "generator": "conv", "generator_layers": None, "generator_channels": 8}],
)
def test_snapshots_change_no_weight(more):
    plain = play(experiment="plain", epochs=3, **more)
    drawn = play(epochs=3, **more, **EACH | {"save_images_as": ["folder", "tensorboard"]})
    assert equal(everything(plain), everything(drawn))


def test_tensorboard_holds_the_same_pictures():
    play(epochs=2, **EACH | {"save_images_as": ["folder", "tensorboard"]})
    events = EventAccumulator("output/run/tensorboard", size_guidance={"images": 0})
    events.Reload()
    images = events.Images("images")
    assert [image.step for image in images] == [1, 2]
    from io import BytesIO

    with (
        Image.open(BytesIO(images[1].encoded_image_string)) as one,
        Image.open(SAMPLES / "epoch_2.png") as other,
    ):
        assert np.array_equal(np.asarray(one.convert("L")), np.asarray(other))


def test_building_a_snapshot_writes_nothing(tmp_path):
    TensorBoardSnapshot(folder=tmp_path).close()
    FolderSnapshot(folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_snapshots_writes_none():
    play(save_images_as=[])
    assert not SAMPLES.exists()


def test_snapshots_that_are_chosen_only_on_a_restore_count_on():
    play(epochs=2)
    play(epochs=3, restore=True, **EACH)
    assert written() == ["epoch_3.png"]


def test_curves_are_drawn():
    play(curves=True, metrics=["judge"], metrics_every=1, metrics_samples=20)
    with Image.open("output/run/curves.png") as picture:
        assert picture.width == 800 and picture.height == 900  # losses, judge, judge_worst


def test_real_examples_are_shown_once(own_folder):
    play(save_images_as=["folder", "tensorboard"], snapshot_size=4, sample_every=2, epochs=2)
    path = Path("output/run/real.png")
    with Image.open(path) as picture:
        assert picture.mode == "L" and picture.getextrema()[1] == 255
    assert [p.name for p in Path("output/run/samples").iterdir()] == ["epoch_2.png"]
