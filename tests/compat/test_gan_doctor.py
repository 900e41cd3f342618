"""GAN doctor's command line, word by word, and its own command from end to end."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from formats import noise_pictures, write_cifar10
from ganzo.arguments import COMMAND_OPTIONS, CommandLine
from ganzo.catalogue import catalogue
from ganzo.compat import translated
from ganzo.compat.gan_doctor import DEFAULTS
from ganzo.errors import OptionError
from ganzo.options import Completed, Layer
from inception import random_weights

THE_COMMAND = (
    "--gen=networks/cosgrove/gen_old.py --disc=networks/cosgrove/disc_old.py"
    " --disc_args=\"{'spec_norm': True, 'sigmoid': False, 'nf': 32}\" --gen_args=\"{'nf': 32}\" --gan=models/gan.py"
    " --gan_args=\"{'loss': 'hinge'}\" --trial_id=999999 --name=cifar10_simple_hinge --val_batch_size=32 --z_dim=256"
    " --img_size=32 --dataset=iterators/cifar10.py --compute_is_every=1 --n_samples_is=50000 --use_tf_metrics"
)


def ours(text):
    """What their words become, by flag."""
    words = translated(["--as", "gan-doctor", *shlex.split(text)])
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


def test_the_command_of_its_page():
    assert {
        "--generator": "sn-resnet", "--generator-channels": "32",
        "--discriminator": "sn-resnet", "--discriminator-channels": "32", "--discriminator-spectral-norm": "",
        "--game": "standard", "--loss": "hinge", "--trial-id": "999999", "--name": "cifar10_simple_hinge",
        "--metrics-batch-size": "32", "--state-size": "256", "--image-size": "32", "--dataset": "cifar10",
        "--metrics-every": "1", "--metrics-samples": "50000", "--metrics-features": "inception",
    }.items() <= ours(THE_COMMAND).items()  # fmt: skip


def test_its_defaults():
    assert ours("") == {
        "--batch-size": "32", "--image-size": "32", "--epochs": "100", "--state-size": "62",
        "--generator-lr": "2e-4", "--discriminator-lr": "2e-4", "--beta1": "0.5", "--beta2": "0.999",
        "--discriminator-iterations": "1", "--loader-workers": "4", "--seed": "0", "--generator": "sn-resnet",
        "--discriminator": "sn-resnet", "--game": "standard", "--loss": "gan", "--metrics": "is,fid",
        "--metrics-every": "1", "--metrics-samples": "5000", "--metrics-batch-size": "512",
        "--metrics-features": "inception-torch", "--dataset": "cifar10", "--sample-every": "1",
        "--snapshot-size": "512",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "found"),
    [
        ("--name n --trial_id 7", {"--name": "n", "--trial-id": "7"}),
        ("--trial-id=7", {"--trial-id": "7"}),
        ("--save_path here", {"--results-dir": "here"}),
        ("--batch_size 8 --epochs=3", {"--batch-size": "8", "--epochs": "3"}),
        ("--lr_g=1e-3 --lr_d 2e-3", {"--generator-lr": "1e-3", "--discriminator-lr": "2e-3"}),
        ("--beta1 0 --beta2 0.9", {"--beta1": "0", "--beta2": "0.9"}),
        ("--update_g_every 5", {"--discriminator-iterations": "5"}),
        ("--subset_train 100", {"--subset": "100"}),
        ("--seed 4", {"--seed": "4"}),
        ("--compute_is_every 0", {"--metrics": "none"}),
        ("--gan_args \"{'loss': 'bce'}\" --disc_args \"{'sigmoid': True}\"", {"--loss": "gan"}),
        ("--disc_args \"{'spec_norm': False}\"", {"--no-discriminator-spectral-norm": ""}),
        ("--gan models/bernoulli.py", {"--noise": "bernoulli", "--probability": "0.5", "--loss": "gan"}),
        (
            "--gan models/bernoulli.py --gan_args \"{'loss': 'hinge', 'p': 0.3, 'center': True}\"",
            {"--loss": "hinge", "--probability": "0.3", "--centred": ""},
        ),
        ("--gen mine.py --gen_args \"{'a': 1}\"", {"--generator": "mine.py", "--generator-args": "{'a': 1}"}),
        ("--gen ./networks/cosgrove/gen.py", {"--generator": "sn-resnet"}),
        ("--disc mine.py", {"--discriminator": "mine.py"}),
        ("--gan mine.py --gan_args a=1", {"--game": "mine.py", "--game-args": "a=1"}),
        ("--dataset mine.py", {"--dataset": "mine.py"}),
        ("--save_every 3 --save_images_every 4 --mode train --resume auto", {}),
        ("--data-dir x --loss wgan", {"--data-dir": "", "x": "", "--loss": "", "wgan": ""}),
    ],
)
def test_each_word(theirs, found):
    assert found.items() <= ours(theirs).items()
    assert set(ours(theirs)) - set(ours("")) <= {*found, "--noise"}


def test_every_flag_that_comes_out_is_ours():
    line = CommandLine("train", COMMAND_OPTIONS, switches=("dry_run",))
    words = translated(
        ["--as=gan_doctor", *shlex.split(THE_COMMAND), "--save_path", "here", "--subset_train=9"]
    )
    given = line.read(words)
    done = Completed([Layer("command line", given)])
    assert done.options.generator_channels == 32 and done.options.discriminator_spectral_norm is True
    assert not done.warnings, done.warnings
    assert "loader_workers" in catalogue()


def test_words_of_ours_beat_what_theirs_become():
    words = translated(
        ["--as", "gan-doctor", "--metrics-features", "random", "--no-discriminator-spectral-norm"]
    )
    assert [word for word in words if "metrics-features" in word] == ["--metrics-features"]
    assert "--discriminator-spectral-norm" not in words


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        ("--mode eval_is_tf", "`--mode` must be train; got `eval_is_tf`"),
        ("--resume old.pkl", "`--resume` must be auto; got `old.pkl`"),
        ("--gen_args \"{'width': 3}\"", "`--gen_args` must hold nf, n_classes"),
        (
            "--disc_args \"{'sigmoid': True}\" --gan_args \"{'loss': 'hinge'}\"",
            "must be False with the loss `hinge`",
        ),
        ("--gan_args \"{'loss': 'wgan'}\"", "must be hinge or bce; got `wgan`"),
        ("--gan_args \"__import__('os')\"", "`--gan_args` must be JSON, a Python literal"),
        ("--seed", "`--seed` needs a value behind it"),
    ],
)
def test_what_cannot_be_translated(theirs, sentence):
    with pytest.raises(OptionError) as error:
        ours(theirs)
    assert sentence in str(error.value)


@pytest.mark.parametrize("word", ["--as", "--as=hypergam", "--as hypergam"])
def test_another_system_is_refused(refused, word):
    assert refused(f"train {word}").startswith("`--as` must name an older system, gan-doctor; got `")


def test_other_command_lines_are_left_alone():
    assert translated(["--loss", "gan"]) == ["--loss", "gan"]


def test_resume_finds_the_run(monkeypatch):
    theirs = "--name n --trial_id 7"
    for folder, more in (("models/n-7", ""), ("there/n/7", " --save_path there")):
        assert "--restore" not in ours(theirs + more)
        Path(folder).mkdir(parents=True)
        Path(folder, "options.json").write_text("{}")
        assert "--restore" in ours(theirs + more)
        assert "--restore" not in ours(theirs + more + " --delete")
    monkeypatch.setenv("RESULTS_DIR", "there")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert "--restore" in ours("--name n")


def test_its_seed_from_the_environment(monkeypatch):
    monkeypatch.setenv("EAI_SEED", "12")
    assert ours("--seed 3")["--seed"] == "12"


def test_all_of_its_flags_are_known():
    assert len(DEFAULTS) == 30


@pytest.mark.slow
def test_the_command_with_its_own_features(ganzo, own_folder):
    """Word for word, with random weights in the place of the published ones, small files and few samples."""
    weights = random_weights(own_folder / "inception.pth")
    pictures = noise_pictures(24, 32, 32)
    for part in ("train", "test"):
        write_cifar10("files", pictures, np.arange(24) % 10, part=part)
    few = "--n_samples_is=20 --epochs=1 --batch_size=4"
    native = "--data-dir files --no-download --max-batches-per-epoch 1 --threads 1 --no-tune"
    native += f" --metrics-weights {weights}"
    said = ganzo(*shlex.split(f"train --as gan-doctor {THE_COMMAND} {few} {native} --save_path results"))
    assert said.status == 0, said.err
    text = Path("results/cifar10_simple_hinge/999999/results.json").read_text()
    (record,) = map(json.loads, text.splitlines())
    wanted = {
        "train_g_loss",
        "train_d_loss",
        "train_is_mean",
        "train_is_std",
        "train_fid_mean",
        "lr_g",
        "lr_d",
        "time",
    }
    assert wanted <= record.keys() and all(record[key] is not None for key in wanted)
    assert record["protocol"]["fid"]["features"] == "inception"


STAND_IN = """
from torch import nn

class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(2)

    def forward(self, images):
        return self.pool(images).flatten(1)
"""


def test_the_command_from_end_to_end(ganzo, own_folder):
    pictures = noise_pictures(40, 32, 32)
    write_cifar10("files", pictures, np.arange(40) % 10)
    write_cifar10("files", pictures, np.arange(40) % 10, part="test")
    (own_folder / "features.py").write_text(STAND_IN)
    small = "--n_samples_is=24 --epochs=1 --batch_size=4 --disc_args=\"{'spec_norm': True, 'nf': 4}\""
    native = "--data-dir files --no-download --max-batches-per-epoch 2 --threads 1 --no-tune --log none --device cpu"
    native += " --metrics fid --metrics-features features.py:Features --snapshot-size 4"
    words = shlex.split(f"train --as gan-doctor {THE_COMMAND} {small} {native} --save_path results")
    said = ganzo(*words)
    assert said.status == 0, said.err
    folder = Path("results/cifar10_simple_hinge/999999")
    (record,) = map(json.loads, (folder / "results.json").read_text().splitlines())
    assert {"epoch", "train_g_loss", "train_d_loss", "lr_g", "lr_d", "time"} <= record.keys()
    assert any("fid" in key for key in record)
    said = ganzo(*words, "--epochs=2")  # it goes on by itself
    assert said.status == 0, said.err
    assert len((folder / "results.json").read_text().splitlines()) == 2
