"""Scores of two processes, each of which looks at a share of the images, are those of one."""

import pytest
import torch

from ganzo.assemble import assemble
from ganzo.metric import Metric, classifier
from ganzo.nn import ranks
from ganzo.together import joined
from ranked import Started
from small import small

MEASURED = {
    "metrics": ["fid", "kid", "prdc"], "metrics_features": "random", "metrics_samples": 49,
    "metrics_batch_size": 16,  # of the last batch there is but one
    "generator": "conv", "generator_channels": 8, "generator_layers": None,
}  # fmt: skip
CLASSES = MEASURED | {
    "metrics": ["classes"], "metrics_features": None, "generator": "cgan", "generator_channels": 4,
}  # fmt: skip
PAIRS = {
    "data_format": "pair-of-images", "split": "horizontal", "game": "translate", "generator": "u-gen",
    "generator_layers": 2, "metrics": ["kid"], "metrics_samples": 21, "metrics_batch_size": 8,
    "metrics_features": "random",
}  # fmt: skip
CASES = {"noise": MEASURED, "classes": CLASSES, "pairs": PAIRS}


def scores():
    """The scores of each case and those of real examples; how many images this rank looked at at once; trainings."""
    found, seen, trained = {}, [], []
    train = classifier.train_classifier
    classifier.train_classifier = lambda *given: trained.append(train(*given))
    for name, chosen in CASES.items():
        options = small(**chosen)
        options.folder = "."
        parts = assemble(options)
        metrics = Metric.from_options(options)
        metrics.ready(parts.data, "cpu")
        for network in metrics.extractors.networks.values():
            network.register_forward_pre_hook(lambda _, images: seen.append(len(images[0])))
        numbers = metrics.score(parts.data, parts.noise, parts.game.sampler)
        found |= {f"{name} {key}": value for key, value in (numbers | metrics.real_scores).items()}
    classifier.train_classifier = train
    return found, seen, len(trained)


def scores_together():
    with joined():
        return scores()


@pytest.mark.slow
def test_two_processes_score_as_one_does(monkeypatch):
    one, seen, trainings = scores()
    monkeypatch.setenv("GANZO_CACHE_DIR", "other")
    two = Started(scores_together).left()
    for left in two:
        assert left.status == 0, left.err
        found, share, _ = left.result
        assert found == pytest.approx(one, rel=1e-3, abs=1e-5)
        assert share[:4] == [8, 8, 8, 1]
    assert two[0].result[0] == two[1].result[0]
    assert seen[:4] == [16, 16, 16, 1]
    # The second process finds on disk what the first has learnt, and seen in real examples.
    assert [left.result[2] for left in two] == [1, 0] and trainings == 1
    assert [len(left.result[1]) for left in two] == [len(seen), 4 + 4 + 3]


def test_every_row_is_in_a_portion(monkeypatch):
    for count in (1, 2, 3, 4):
        for n in range(1, 10):
            portions = []
            for rank in range(count):
                monkeypatch.setattr(ranks, "_ranks", ranks.Ranks(rank, count))
                portions.append(ranks.portion(n))
            assert len({len(portion) for portion in portions}) == 1
            assert torch.equal(torch.cat(portions)[:n], torch.arange(n))
