"""Scores against those of torch-fidelity, from the same features, subsets and shuffles."""

import contextlib
import io

import pytest
import torch

from ganzo.metric.inception import InceptionFeatures
from ganzo.nn.collected import Collected, Seen
from ganzo.nn.distances import inception_score, kernel_distance, precision_recall
from ganzo.registry import Registry
from inception import random_weights
from shim import make_importable

make_importable()
try:
    from torch_fidelity import feature_extractor_inceptionv3, metric_fid, metric_isc, metric_kid, metric_prc

    missing = False
except ImportError:
    missing = True

pytestmark = pytest.mark.skipif(missing, reason="needs torch-fidelity (the extra `metrics`)")
N, M, F, K = 700, 600, 24, 10


@pytest.fixture(scope="module")
def features():
    draw = torch.Generator().manual_seed(0)
    mix = torch.randn(F, F, generator=draw)
    real = (torch.randn(N, F, generator=draw) @ mix).relu()
    fake = (torch.randn(M, F, generator=draw) @ mix * 0.95 + 0.1).relu()
    return real, fake


def settings(**changed):
    return {"verbose": False, "rng_seed": 2020, "samples_shuffle": True, **changed}


def test_fid(features):
    statistics = [metric_fid.fid_features_to_statistics(x.double()) for x in features]
    wanted = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    collected = [Collected({"moments"}) for _ in features]
    for each, values in zip(collected, features, strict=True):
        for part in values.split(128):
            each.add(Seen(part))
    found = Registry.lookup("metric", "fid")().score(*collected)["fid"]
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("subsets, size", [(10, 200), (3, 600)])
def test_kid(features, subsets, size):
    real, fake = (x.double() for x in features)
    given = settings(kid_subsets=subsets, kid_subset_size=size, kid_kernel="poly", kid_kernel_poly_degree=3)
    wanted = metric_kid.kid_features_to_metric(fake, real, **given)
    mean, spread = kernel_distance(real, fake, subsets, size)
    assert mean == pytest.approx(wanted["kernel_inception_distance_mean"], rel=1e-6)
    assert spread == pytest.approx(wanted["kernel_inception_distance_std"], rel=1e-6)


@pytest.mark.parametrize("splits", [1, 7, 10])
def test_inception_score(splits):
    logits = 3 * torch.randn(M, K, generator=torch.Generator().manual_seed(1))
    wanted = metric_isc.isc_features_to_metric(logits, splits)
    mean, spread = inception_score(logits, splits)
    assert mean == pytest.approx(wanted["inception_score_mean"], rel=1e-6)
    assert spread == pytest.approx(wanted["inception_score_std"], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall(features, k):
    real, fake = (x.double() for x in features)
    given = settings(prc_neighborhood=k, prc_batch_size=10000, save_cpu_ram=False)
    wanted = metric_prc.prc_features_to_metric(fake, real, **given)
    precision, recall = precision_recall(real, fake, k)
    assert 0 < precision < 1 and 0 < recall < 1
    assert precision == pytest.approx(wanted["precision"], rel=1e-6)
    assert recall == pytest.approx(wanted["recall"], rel=1e-6)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """Their network with random weights, and a file of these."""
    path = random_weights(tmp_path_factory.mktemp("weights") / "inception.pth")
    cls = feature_extractor_inceptionv3.FeatureExtractorInceptionV3
    return cls("theirs", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)), path


@pytest.mark.parametrize("size", [(32, 32), (20, 48)])
def test_the_inception_path_with_the_same_random_weights(theirs, size):
    network, path = theirs
    ours = InceptionFeatures(metrics_weights=str(path))
    ours.load()
    pixels = torch.randint(
        0, 256, (2, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)
    )
    with torch.no_grad():
        seen, (features, logits) = ours(pixels / 127.5 - 1), network(pixels)
    assert torch.equal(seen.features, features) and torch.equal(seen.logits, logits)
    assert seen.features.shape == (2, 2048) and features.std() > 0


def test_grey_images_are_looked_at_in_three_channels(theirs):
    ours = InceptionFeatures(metrics_weights=str(theirs[1]))
    ours.load()
    grey = torch.rand(1, 1, 16, 16) * 2 - 1
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        assert torch.equal(ours(grey).features, ours(grey.expand(-1, 3, -1, -1)).features)
