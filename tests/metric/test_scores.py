"""The metrics that compare, on their own and in a run."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from ganzo.errors import OptionError
from ganzo.metric import Metrics
from ganzo.metric.classes import Classes
from ganzo.metric.fid import FID
from ganzo.metric.inception_score import InceptionScore
from ganzo.metric.intra_fid import IntraFID
from ganzo.metric.kid import KID
from ganzo.metric.prdc import PRDC
from ganzo.nn.collected import Collected, Seen
from ganzo.nn.distances import frechet_distance
from ganzo.nn.extracted import Extractors
from pairs import TRANSLATES, pair_pictures
from small import equal, everything, numbers, pictures, play

MEASURED = {"metrics_every": 1, "metrics_samples": 40, "metrics_features": "random"}
READS = {"generator": "cgan", "generator_channels": 4}


def test_a_metric_by_itself_takes_features_batch_by_batch():
    real, fake = torch.randn(60, 4), torch.randn(60, 4)
    whole, parts = FID(), FID()
    whole.update(real, fake)
    for one, other in zip(real.split(25), fake.split(25), strict=True):
        parts.update(one, other)
    assert whole.compute()["fid"] == pytest.approx(parts.compute()["fid"], rel=1e-9)
    whole.update(real, real)  # from the start
    assert whole.compute()["fid"] == pytest.approx(0.0, abs=1e-9)


def test_all_metrics_stand_in_the_record_with_their_protocol():
    run = play(metrics=["fid", "kid", "prdc"], epochs=1, **MEASURED)
    names = ["fid", "kid", "precision", "recall", "density", "coverage"]
    (line,) = numbers(run)
    assert all(isinstance(line[name], float) for name in names)


def metrics_of(**named):
    chosen = {"fid": FID(), "kid": KID(subsets=2), "prdc": PRDC()}
    return Metrics(chosen, metrics_features="random", metrics_samples=40, image_colors=1, **named)


def test_the_protocol_tells_all_that_a_score_depends_on():
    run = play()
    metrics = metrics_of()
    scores = metrics.score(run._parts["data"], run.noise, run.game.sampler)
    assert set(metrics.protocol) == set(scores)
    told = metrics.protocol["kid"]
    assert told["features"] == "random" and len(told["weights"]) == 16
    assert (told["real"], told["fake"], told["split"]) == (359, 40, "held out")
    assert (told["image"], told["resize"]) == ("8x8x1", "32x32 bilinear antialiased")
    assert told["averaged"] is False and told["seed"] == 0 and told["version"] == 1 and told["subsets"] == 2
    assert told["real_against_real"] == "40 to 359, training against held out"
    assert metrics.protocol["precision"]["k"] == 3 and metrics.protocol["coverage"]["density_k"] == 5
    assert metrics.protocol["fid"]["rank_deficient"] is True and "rank_deficient" not in told
    json.dumps(metrics.protocol)


def test_real_images_score_better_than_an_untrained_generator():
    run = play()
    metrics = metrics_of()
    scores = metrics.score(run._parts["data"], run.noise, run.game.sampler)
    assert metrics.real_scores["fid_real"] < scores["fid"] and metrics.real_scores["kid_real"] < scores["kid"]
    assert metrics.real_scores["coverage_real"] > scores["coverage"]


def test_an_average_is_told():
    run = play(generator_hook="ema")
    metrics = metrics_of()
    metrics.score(run._parts["data"], run.noise, run.game.sampler)
    assert metrics.protocol["fid"]["averaged"] is True


def test_data_without_a_held_out_part_are_compared_by_halves(tmp_path):
    folder = pictures(tmp_path / "pictures", count=50)
    run = play(dataset="folder", data_dir=folder, batch_size=4)
    metrics = metrics_of()
    metrics.score(run._parts["data"], run.noise, run.game.sampler)
    told = metrics.protocol["fid"]
    assert (told["real"], told["split"]) == (50, "training")
    assert told["real_against_real"] == "25 to 25, halves of training"


def test_what_is_seen_in_real_images_is_kept(monkeypatch):
    run = play()
    data, parts = run._parts["data"], (run.noise, run.game.sampler)
    one = metrics_of()
    scores = one.score(data, *parts)
    seen = []
    plain = Extractors.collect
    monkeypatch.setattr(Extractors, "collect", lambda self, *a: seen.append(1) or plain(self, *a))
    other = metrics_of()
    assert other.score(data, *parts) == scores and len(seen) == 1  # of the fakes alone
    assert other.real_scores == one.real_scores and other.protocol == one.protocol
    other.score(data, *parts)
    assert len(seen) == 2


def test_the_number_of_images_at_once_changes_no_score():
    run = play()
    found = [
        metrics_of(metrics_batch_size=size).score(run._parts["data"], run.noise, run.game.sampler)
        for size in (7, 512)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-4, abs=1e-6)


def test_the_seed_chooses_the_images():
    run = play()
    metrics = metrics_of()
    first, second = (metrics.score(run._parts["data"], run.noise, run.game.sampler, seed) for seed in (0, 1))
    assert first["fid"] != second["fid"]


def test_measuring_disturbs_nothing(monkeypatch):
    monkeypatch.setitem(__import__("ganzo.nn.classify").nn.classify.STEPS, 16, 2)
    plain = play(experiment="plain", epochs=2, **READS)
    measured = {"metrics": ["fid", "is", "classes", "intra-fid"], "metrics_every": 1, "metrics_samples": 40}
    other = play(epochs=2, **measured, **READS)
    assert equal(everything(plain), everything(other))
    assert {"is_mean", "is_std", "classes_covered", "classes_right", "intra-fid"} <= numbers(other)[0].keys()


def test_metrics_decide_which_epoch_is_best():
    run = play(metrics=["fid"], evaluation_criterion="fid", epochs=3, **MEASURED)
    score = json.loads(Path("models/run/best/score.json").read_text())
    assert score["numbers"]["fid"] == min(line["fid"] for line in run.history)


def test_translations_are_compared_with_targets(own_folder):
    folder = pair_pictures(own_folder / "shoes", count=24)
    run = play(**TRANSLATES, data_dir=folder, metrics=["fid"], metrics_every=1, metrics_samples=20,
               metrics_features="random", epochs=1)  # fmt: skip
    assert run.history[0]["fid"] > 0


@pytest.mark.parametrize(
    "metric, options, said",
    [
        ("is", {}, "need features that read classes, and `random` reads none"),
        ("classes", {}, "need features that read classes, and `random` reads none"),
        ("fid", {"metrics_samples": 10}, "`fid` needs at least 20 images; got `--metrics-samples 10`"),
        ("intra-fid", {"generator": "fc"}, "needs a generator that reads labels"),
        ("intra-fid", {"metrics_samples": 20, "metrics_features": "random"}, None),
        ("fid", {"metrics_features": "rnadom"}, "There is no features called `rnadom`"),
        (
            {"name": "is", "splits": 50},
            {"metrics_features": "mine.py:Logits"},
            "an image for each of its 50 splits; got 40",
        ),
        (
            {"name": "prdc", "k": 20},
            {},
            "`--prdc-k` must be below the number of images, and at most 19; got 20",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(metric, options, said, own_folder):
    (own_folder / "mine.py").write_text(LOGITS)
    options = {**READS, **MEASURED, **options}
    if said is None:
        assert play(metrics=[metric], **options).history[0]["intra-fid"] > 0
        return
    with pytest.raises(ValueError, match=said):
        play(metrics=[metric], **options)


LOGITS = """
from torch import nn


class Logits(nn.Module):
    def forward(self, images):
        x = images.flatten(1)
        return x[:, :5], x[:, :10]
"""


@pytest.mark.parametrize("metric", ["intra-fid", "classes"])
def test_data_without_classes_are_refused(metric, tmp_path):
    folder = pictures(tmp_path / "pictures", classes=1)
    with pytest.raises(OptionError, match=f"`--metrics {metric}` needs data with classes"):
        play(metrics=[metric], dataset="folder", data_dir=folder, batch_size=4, **MEASURED)


def test_data_with_few_examples_are_refused(tmp_path):
    folder = pictures(tmp_path / "pictures", count=12)
    with pytest.raises(
        OptionError, match="`fid` needs data that keep at least 20 real examples to compare with; these"
    ):
        play(metrics=["fid"], dataset="folder", data_dir=folder, batch_size=4, **MEASURED)


def test_features_of_ones_own_give_logits_too(own_folder):
    (own_folder / "mine.py").write_text(LOGITS)
    run = play(metrics=["is", "fid"], **MEASURED | {"metrics_features": "mine.py:Logits"})
    assert run.history[0]["is_mean"] >= 1


def test_too_few_images_for_a_full_rank_are_said_once(capsys):
    from ganzo.nn.protocol import warn_of_rank

    warn_of_rank.cache_clear()
    play(metrics=["fid"], **MEASURED)
    said = [line for line in capsys.readouterr().err.splitlines() if "biased" in line]
    assert said == [
        "ganzo: warning: `fid` from 40 images and 64 features is biased, since a covariance of full rank needs more"
        " images than features; its protocol says so."
    ]


def logits(*read):
    return Seen(torch.zeros(len(read), 1), 10.0 * nn.functional.one_hot(torch.tensor(read), 4))


def test_classes_covered_and_read_as_asked():
    metric, read = Classes(classes=4), [0, 0, 1, 1, 2, 2, 2, 1]
    metric.update(None, logits(*read), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    assert metric.compute() == {"classes_covered": 0.75, "classes_right": 0.75}
    assert metric.confusion.tolist() == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 1, 1, 0]]
    metric = Classes(classes=4, uses_labels=False)
    metric.update(None, logits(*read), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]))
    assert metric.compute() == {"classes_covered": 0.75} and metric.confusion.tolist() == [[2, 3, 3, 0]]


def test_the_distance_within_classes_is_a_mean():
    draw = torch.Generator().manual_seed(0)
    real, fake = torch.randn(60, 3, generator=draw), torch.randn(60, 3, generator=draw) + 1
    labels = torch.arange(60) % 2
    metric = IntraFID(classes=2)
    metric.update(real, fake, labels, labels)
    each = []
    for number in (0, 1):
        of = [x[labels == number].double() for x in (real, fake)]
        each.append(frechet_distance(*[f(x) for x in of for f in (lambda x: x.mean(0), lambda x: x.T.cov())]))
    assert metric.compute()["intra-fid"] == pytest.approx(sum(each) / 2, rel=1e-9)


def test_a_class_that_was_never_made_is_refused():
    metric, features = IntraFID(classes=3), torch.randn(30, 3)
    metric.update(features, features, torch.arange(30) % 2, torch.arange(30) % 3)
    with pytest.raises(OptionError, match="needs at least 2 images of each class, real and fake"):
        metric.compute()


def test_the_score_needs_logits():
    collected = Collected({"logits"})
    collected.add(Seen(torch.zeros(20, 3)))
    with pytest.raises(OptionError, match="needs features that read classes"):
        InceptionScore().score(None, collected)


def test_classes_must_be_those_of_the_data():
    metric = Classes(classes=3)
    metric.update(None, logits(0, 1, 2), torch.tensor([0, 1, 2]))
    with pytest.raises(OptionError, match="needs features that read the 3 classes of the data"):
        metric.compute()


class Diverged(nn.Module):
    def forward(self, noise, labels=None):
        return torch.full((len(noise), 1, 8, 8), float("nan"))


def test_a_generator_that_has_diverged_ends_no_run():
    run = play()
    metrics = metrics_of()
    scores = metrics.score(run._parts["data"], run.noise, Diverged())
    assert scores["fid"] != scores["fid"] and scores["precision"] == 0


def test_a_metric_within_many_classes_needs_as_many_samples():
    with pytest.raises(
        OptionError, match="`intra-fid` needs at least 200 images; got `--metrics-samples 40`"
    ):
        Metrics({"intra-fid": IntraFID(classes=100)}, metrics_samples=40, metrics_features="random")
