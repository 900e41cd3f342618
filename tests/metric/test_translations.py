"""Metrics of translations: what is made of real inputs, against their targets."""

import pytest
import torch
from torch import nn

from ganzo.errors import OptionError
from ganzo.metric import Metric, Metrics
from ganzo.nn.batch import Batch
from pairs import TRANSLATES, inverted, pair_pictures
from small import equal, play


class Inverts(nn.Module):
    """Makes the target, or something else."""

    def __init__(self, sign=-1.0):
        super().__init__()
        self.sign = nn.Parameter(torch.tensor(sign))
        self.asked = []

    def forward(self, images, labels=None):
        self.asked.append(labels)
        return self.sign * images


class Distance(Metric):
    """How far the fakes' features are from those of real examples, where these go in the same order."""

    features, higher_is_better, minimum_samples = "judge", False, 3

    def update(self, real_features, fake_features, labels=None):
        self.counts, self.labels = (len(real_features), len(fake_features)), labels
        self.distance = (real_features[: len(fake_features)] - fake_features).abs().max().item()

    def compute(self):
        return {"distance": self.distance}


def measured(generator, samples=8, data=None):
    distance = Distance()
    metrics = Metrics({"distance": distance}, metrics_every=1, metrics_samples=samples, translates=True)
    data = data or inverted(10, 16, 4)
    position = data.state_dict()
    scores = metrics.measure(1, data, None, generator)
    assert equal(position, data.state_dict())
    return scores["distance"], distance


def test_outputs_are_compared_with_targets():
    found, metric = measured(Inverts())
    assert found == pytest.approx(0.0, abs=1e-3) and metric.counts == (10, 8)
    assert measured(Inverts(1.0))[0] > 1.0


def test_there_are_no_more_fakes_than_inputs():
    assert measured(Inverts(), samples=1000)[1].counts == (10, 10)


def test_labels_are_those_of_the_inputs():
    labels = torch.arange(10) % 3
    generator = Inverts()
    assert (
        measured(generator, data=inverted(10, 16, 4, labels=labels))[1].labels.tolist() == labels[:8].tolist()
    )
    assert torch.cat(generator.asked).tolist() == labels[:8].tolist()


def test_too_few_inputs_are_refused():
    data = inverted(4, 16, 2)
    data.examples = Batch(
        *(x if x is None else x[:2] for x in (data.examples.image, None, data.examples.target))
    )
    with pytest.raises(OptionError, match="`distance` needs at least 3 images; got 2 examples of the data"):
        measured(Inverts(), data=data)


def test_a_run_measures_what_it_translates(own_folder, registry):
    registry.add("metric", "distance", Distance)
    folder = pair_pictures(own_folder / "shoes")
    run = play(**TRANSLATES, data_dir=folder, metrics=["distance"], metrics_every=1, metrics_samples=5)
    assert all(line["distance"] > 0 for line in run.history)
