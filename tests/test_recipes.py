"""Every recipe that ships plays two turns on small files of its data, and its losses move."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from files import write_mnist
from formats import noise_pictures, write_cifar10, write_lsun
from ganzo.assemble import assemble
from ganzo.options import Completed, Layer
from ganzo.recipes import read_config, recipes
from pairs import pair_pictures
from small import pictures

SOURCE = Path(__file__).parents[1] / "src"
SMALL = {"seed": 1, "max_batches_per_epoch": 1, "batch_size": 4, "tune": False, "threads": 1}


def data_of(name):
    """Write the data that a recipe asks for, small, in their real format; the options that find them."""
    folder = Path("in")
    recipe = read_config(name)
    if recipe["dataset"] == "digits":
        return {}
    if recipe["dataset"] == "lsun":
        write_lsun(folder, "bedroom", noise_pictures(24, 40, 50))
    elif recipe["dataset"] == "cifar10":
        write_cifar10(folder, noise_pictures(24, 32, 32), [number % 10 for number in range(24)])
    elif recipe["dataset"] == "emnist":
        write_mnist(folder, *letters(24), prefix="emnist-letters-train")
    elif recipe["dataset"] != "folder":
        write_mnist(folder, noise_pictures(24, 28, 28)[..., 0], [number % 10 for number in range(24)])
    elif "split" in recipe:
        pair_pictures(folder, 24)
    else:
        pictures(folder, 24, classes=1)
        pictures(Path("out"), 24, classes=1)
        return {"data_dir": "in", "target_dir": "out"}
    return {"data_dir": "in"} | ({"download": False} if recipe["dataset"] not in ("lsun", "folder") else {})


def letters(count):
    """Pictures and labels from 1 to 26, as EMNIST's letters have them."""
    return noise_pictures(count, 28, 28)[..., 0], [1 + number % 26 for number in range(count)]


@pytest.mark.parametrize("name", recipes())
def test_two_turns_of_a_recipe(name):
    completed = Completed([Layer("recipe", read_config(name)), Layer("test", SMALL | data_of(name))])
    assert not completed.warnings, completed.warnings  # a recipe names nothing that it does not use
    parts = assemble(completed.options)
    first, second = (parts.game.run_epoch(parts.data, parts.noise) for _ in range(2))
    assert first.keys() == second.keys() >= {"generator", "discriminator"}
    assert all(first[player] != second[player] for player in first)


def test_a_recipe_says_what_it_is():
    for path in recipes().values():
        about = yaml.safe_load(path.read_text(encoding="utf-8"))["about"]
        assert {"shows", "paper", "differs"} <= set(about), path


DCGAN = (
    "--image-size 64 --generator conv --generator-layers 5 --discriminator conv --discriminator-layers 5 --loss gan"
    " --soft-labels --noisy-labels --generator-lr 0.0002 --discriminator-lr 0.0002 --beta1 0.5 --beta2 0.999"
    " --sample-every 1 --sample-from-fixed-noise"
)
BEDROOMS = (
    "--dataset lsun --image-class bedroom --image-size 64 --image-colors 3 --generator good --discriminator good"
    " --loss wgan-gp --gradient-penalty 10 --generator-lr 0.0001 --discriminator-lr 0.0001 --generator-iterations 1"
    " --discriminator-iterations 5 --beta1 0 --beta2 0.9 --epochs 200 --max-batches-per-epoch 1000 --sample-every 1"
    " --sample-from-fixed-noise"
)
EXPERIMENTS = {  # the old Ganzo's command lines
    "gan-mnist": "--dataset mnist --image-size 28 --image-colors 1 --generator fc --generator-layers 4"
    " --discriminator fc --discriminator-layers 4 --discriminator-dropout 0.3 --loss gan --soft-labels --noisy-labels"
    " --generator-lr 0.0002 --discriminator-lr 0.0002 --discriminator-iterations 5 --epochs 100 --sample-every 1"
    " --sample-from-fixed-noise",
    "dcgan-mnist": f"--dataset mnist --image-colors 1 {DCGAN} --epochs 100",
    "dcgan-bedrooms": f"--dataset lsun --image-class bedroom --image-colors 3 {DCGAN} --epochs 200"
    " --max-batches-per-epoch 1000",
    "wgan-gp-bedrooms": BEDROOMS,
    "wgan-wc-bedrooms": f"{BEDROOMS} --discriminator-hook weight-clipper --clip-to 0.01",
    "pix2pix-shoes": "--game translate --data-format pair-of-images --dataset folder --split horizontal --image-size 64"
    " --image-colors 3 --loss pix2pix --soft-labels --noisy-labels --generator u-gen --generator-layers 4"
    " --generator-channels 8 --discriminator patch-gan --discriminator-layers 4 --discriminator-channels 4"
    " --generator-lr 0.0002 --discriminator-lr 0.0002 --epochs 100 --max-batches-per-epoch 100 --sample-every 1"
    " --snapshot-translate",
    "dcgan-fashion-mnist": f"--dataset fashion-mnist --image-colors 1 {DCGAN} --epochs 100",
    "dcgan-emnist": f"--dataset emnist --image-class letters --image-colors 1 {DCGAN} --epochs 100",
}


def script(name, *words):
    """Run one of the two scripts that the old texts print."""
    told = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, SOURCE / f"{name}.py", *words], capture_output=True, text=True, env=told, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_original_command_line(name):
    data = ["--data-dir", data_of(name)["data_dir"]]
    two_turns = (
        "--epochs 2 --max-batches-per-epoch 1 --batch-size 4 --snapshot-size 4 --seed 1 --no-tune --threads 1"
    )
    said = script("ganzo", "--experiment", name, *data, *EXPERIMENTS[name].split(), *two_turns.split())
    assert said.returncode == 0, said.stderr
    first, second = map(json.loads, Path("output", name, "results.json").read_text().splitlines())
    assert all(first[loss] != second[loss] for loss in ("train_g_loss", "train_d_loss"))
    assert Path("output", name, "samples", "epoch_2.png").is_file()
    drawn = script("deh", "--model-dir", "models", "--experiment", name, "--num-samples", "2")
    assert drawn.returncode == 0, drawn.stderr
    assert all(Path(line).is_file() for line in drawn.stdout.split()) and len(drawn.stdout.split()) == 2


def test_the_recipes_are_the_eight_experiments():
    """A recipe sets what its command line sets, but that the clipped critic is a plain Wasserstein one."""
    from ganzo.arguments import CommandLine
    from ganzo.options import flattened

    line = CommandLine("train", {})
    for name, words in EXPERIMENTS.items():
        asked, set_ = flattened(line.read(words.split())), flattened(read_config(name))
        for key, value in asked.items():
            if (name, key) == ("wgan-wc-bedrooms", "loss"):
                assert set_[key] == "wgan"
            elif key in ("snapshot_translate", "gradient_penalty_factor") or (name, key) == (
                "pix2pix-shoes", "discriminator_layers",
            ):  # fmt: skip
                continue  # what the game says anyway, what the plain loss has not, what the network has not
            else:
                assert float_or_text(value) == float_or_text(set_[key]), (name, key)


def float_or_text(value):
    """`0.0002` and 2.0e-4 are the same."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
