"""What is looked at in images: the extractors."""

import builtins
import sys

import pytest
import torch
from torch import nn

from ganzo.data.digits import DigitsSource
from ganzo.data.folder import FolderSource
from ganzo.data.single_image import SingleImageData
from ganzo.errors import OptionError
from ganzo.metric import Metrics
from ganzo.metric.classifier import Classifier
from ganzo.metric.fid import FID
from ganzo.metric.inception import InceptionFeatures, InceptionTorchFeatures
from ganzo.metric.random_features import RandomFeatures
from ganzo.nn import classify
from ganzo.nn.cache import checksum_of
from ganzo.nn.references import References
from shim import make_importable
from small import equal, pictures


def references(size=8, source=None):
    return References(
        SingleImageData(source or DigitsSource(), image_size=size, image_colors=1, batch_size=1),
        torch.device("cpu"),
    )


def accuracy(network, real):
    right = [network(images).logits.argmax(1) == labels for images, labels in real.pictures()]
    return torch.cat(right).double().mean().item()


def test_the_classifier_reads_digits_that_it_has_not_seen(tmp_path):
    real = references()
    assert real.split == "held out"
    network = Classifier(classes=10, image_colors=1)
    before = torch.get_rng_state()
    network.learn(real, tmp_path)
    assert torch.equal(before, torch.get_rng_state())
    assert accuracy(network, real) > 0.97
    assert network(torch.zeros(2, 1, 8, 8)).features.shape == (2, 64)


def test_the_classifier_learns_once_per_data_set(tmp_path, monkeypatch):
    monkeypatch.setitem(classify.STEPS, 16, 2)
    one, other = (Classifier(classes=10, image_colors=1) for _ in range(2))
    one.learn(references(), tmp_path)
    monkeypatch.setattr("ganzo.metric.classifier.train_classifier", lambda *_: pytest.fail("it is kept"))
    other.learn(references(), tmp_path)
    assert checksum_of(one) == checksum_of(other)


def test_the_classifier_learns_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setitem(classify.STEPS, 16, 3)
    found = []
    for folder in ("a", "b"):
        network = Classifier(classes=10, image_colors=1)
        network.learn(references(), tmp_path / folder)
        found.append(network.state_dict())
    assert equal(*found)


def test_the_classifier_looks_closer_at_larger_images(tmp_path, monkeypatch):
    monkeypatch.setitem(classify.STEPS, 32, 1)
    network = Classifier(classes=10, image_colors=1)
    network.learn(references(32), tmp_path)
    assert network.resize == "32x32 bilinear antialiased"


def test_the_classifier_needs_classes(tmp_path):
    with pytest.raises(OptionError, match="`--metrics-features classifier` needs data with classes"):
        Classifier(classes=0)
    source = FolderSource(data_dir=pictures(tmp_path / "pictures", classes=1))
    with pytest.raises(OptionError, match="needs a label for each real example"):
        Classifier(classes=2, image_colors=1).learn(references(8, source), tmp_path)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 40, 24), (4, 16, 16)])
def test_random_features_take_any_image(shape):
    features = RandomFeatures()(torch.rand(2, *shape) * 2 - 1)
    assert features.shape == (2, 64) and features.std() > 0


def test_random_features_are_the_same_everywhere():
    torch.manual_seed(1)
    one = RandomFeatures().state_dict()
    torch.manual_seed(2)
    assert equal(dict(one), dict(RandomFeatures().state_dict()))


OWN = """
import torch
from torch import nn


class Brightness(nn.Module):
    num_features = 1

    def forward(self, images):
        return images.mean((1, 2, 3))[:, None]


class NoModule:
    pass
"""


def test_features_of_ones_own(own_folder):
    (own_folder / "mine.py").write_text(OWN)
    metrics = Metrics({"fid": FID()}, metrics_features="mine.py:Brightness", metrics_samples=20)
    (network,) = metrics.extractors.networks.values()
    assert isinstance(network, nn.Module) and network(torch.ones(2, 3, 4, 4)).tolist() == [[1.0], [1.0]]
    with pytest.raises(OptionError, match=r"must be a torch\.nn\.Module.*got a NoModule"):
        Metrics({"fid": FID()}, metrics_features="mine.py:NoModule", metrics_samples=20)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No weights in the folder of torch.hub, and no network."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    def fetch(url, *_, **__):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    return tmp_path / "hub" / "checkpoints"


@pytest.mark.parametrize(
    "cls, file, sum_",
    [
        (InceptionFeatures, "weights-inception-2015-12-05-6726825d.pth", "6726825d"),
        (InceptionTorchFeatures, "inception_v3_google-0cc3c7bd.pth", "0cc3c7bd"),
    ],
)
def test_weights_that_cannot_be_had_are_named(offline, cls, file, sum_):
    with pytest.raises(OptionError) as error:
        cls().load()
    for told in (file, f"begins with {sum_}", f"`{offline}`", "(no network)", "--metrics-weights"):
        assert told in str(error.value)


def test_a_file_that_is_not_there_is_not_fetched(offline, tmp_path):
    with pytest.raises(OptionError, match=r"in the folder `.*/else`; it is not there"):
        InceptionFeatures(metrics_weights=str(tmp_path / "else" / "w.pth")).load()


class Harmful:
    def __reduce__(self):
        return exec, ("raise SystemExit('code was run')",)


@pytest.mark.parametrize("content", [b"no weights", Harmful()])
def test_a_file_that_holds_no_weights_runs_nothing(tmp_path, content):
    path = tmp_path / "w.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(OptionError, match="must hold the weights of inception"):
        InceptionFeatures(metrics_weights=str(path)).load()


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
@pytest.mark.parametrize(
    "cls, package, extra",
    [(InceptionFeatures, "torch_fidelity", "metrics"), (InceptionTorchFeatures, "torchvision", "vision")],
)
def test_a_package_that_cannot_be_imported_is_named(tmp_path, monkeypatch, error, cls, package, extra):
    plain = builtins.__import__

    def broken(name, *rest, **named):
        if name.startswith(package):
            raise error("operator torchvision::nms does not exist")
        return plain(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", broken)
    torch.save({}, tmp_path / "w.pth")
    with pytest.raises(OptionError, match=rf"cannot be imported here \(operator.*ganzo\[{extra}\]"):
        cls(metrics_weights=str(tmp_path / "w.pth")).load()


def torchvision_missing():
    make_importable()
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        return True
    return False


@pytest.mark.skipif(torchvision_missing(), reason="needs torchvision (the extra `vision`)")
def test_the_inception_of_torchvision(tmp_path):
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    network = inception_v3(weights=None, init_weights=False)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    ours = InceptionTorchFeatures(metrics_weights=str(tmp_path / "w.pth"))
    ours.load()
    images = torch.rand(2, 3, 299, 299) * 2 - 1
    network.eval()
    network.transform_input = False
    with torch.no_grad():
        features, logits = ours(images)
        assert torch.equal(logits, network(images)) and features.shape == (2, 2048)
        torch.testing.assert_close(network.fc(features), logits)
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(OptionError, match="must hold the weights of inception-torch"):
        ours.load()
    assert "torchvision" in sys.modules
