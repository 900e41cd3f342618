"""What a score's protocol must tell, so that unlike scores are never taken for alike."""

from pathlib import Path

import pytest
import torch

from ganzo.assemble import assemble
from ganzo.metric import Metric
from ganzo.nn.cache import checksum_of
from ganzo.nn.classify import SmallClassifier, train_classifier
from small import pictures, play, small


def measured(**changed):
    """The protocols of an untrained generator's scores."""
    options = small(metrics_samples=40, metrics_every=1, **changed)
    parts = assemble(options)
    metrics = Metric.from_options(options)
    metrics.measure(1, parts.data, parts.noise, parts.game.sampler)
    return metrics.protocol


def test_a_score_that_needs_no_real_examples_names_the_data_too():
    one = measured(metrics="is")["is"]
    other = measured(metrics="is", image_class="0,1")["is"]
    assert one["data"] and other["data"] and one["data"] != other["data"]


FEATURES = """
import torch
class Mine(torch.nn.Module):
    def forward(self, images):
        return images.flatten(1)[:, :{width}]
"""


def test_features_of_ones_own_are_known_by_their_file_too(own_folder):
    sums = []
    for width in (4, 5):
        folder = own_folder / str(width)
        folder.mkdir()
        (folder / "mine.py").write_text(FEATURES.format(width=width))
        sums.append(measured(metrics="fid", metrics_features=f"{folder}/mine.py:Mine")["fid"]["weights"])
    assert sums[0] != sums[1]


def test_too_few_real_examples_are_refused_before_the_first_batch():
    folder = pictures(Path("few"), count=12)
    with pytest.raises(ValueError, match="at least 20 real examples"):
        play(
            metrics=["fid"],
            metrics_samples=40,
            metrics_every=2,
            dataset="folder",
            data_dir=folder,
            batch_size=4,
        )
    assert not list(Path("models").rglob("options.json"))


def test_the_classifier_does_not_depend_on_the_number_of_threads():
    images, labels = torch.randint(0, 256, (40, 1, 16, 16), dtype=torch.uint8), torch.arange(40) % 4
    sums = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        network = SmallClassifier(4, 1)
        train_classifier(network, images, labels, steps=3)
        sums.append(checksum_of(network))
        assert torch.get_num_threads() == threads
    assert sums[0] == sums[1]


def test_the_older_word_for_features(ganzo, tiny):
    said = ganzo(f"{tiny} --metrics fid --use-tf-metrics --metrics-weights nowhere.pth")
    assert said.status == 2 and "`--metrics-features inception` needs the file" in said.err
