import pytest
import torch

from ganzo.data.digits import DigitsSource
from ganzo.data.single_image import SingleImageData
from ganzo.errors import OptionError
from ganzo.metric import Metric, Metrics
from ganzo.metric.judge import JudgeLogits, JudgeMetric
from ganzo.nn.pixels import to_float
from small import READS_LABELS, equal, everything, numbers, pictures, play


def test_the_share_that_is_read_as_asked():
    metric = JudgeMetric()
    asked = torch.tensor([0, 0, 1, 1, 1, 1])
    read = torch.tensor([0, 0, 1, 1, 1, 7])
    metric.update(None, torch.nn.functional.one_hot(read, 10).float(), asked)
    assert metric.compute() == {"judge": pytest.approx(5 / 6), "judge_worst": 0.75}
    metric.update(None, torch.nn.functional.one_hot(asked, 10).float(), asked)
    assert metric.compute() == {"judge": 1.0, "judge_worst": 1.0}  # from the start


@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("colors", [1, 3])
def test_the_judge_reads_real_digits_of_any_size(size, colors):
    data = SingleImageData(DigitsSource(), image_size=size, image_colors=colors).held_out()
    read = JudgeLogits()(to_float(data.examples.image)).argmax(1)
    assert (read == data.examples.label).double().mean() > 0.98


def test_scores_are_measured_when_they_are_due_and_stand_in_the_numbers():
    run = play(metrics=["judge"], metrics_every=2, metrics_samples=50, epochs=4)
    assert ["judge" in line for line in numbers(run)] == [False, True, False, True]
    assert 0 <= run.history[1]["judge_worst"] <= run.history[1]["judge"] <= 1


def test_measuring_disturbs_nothing():
    plain = play(experiment="plain", epochs=3, **READS_LABELS)
    measured = play(metrics=["judge"], metrics_every=1, metrics_samples=50, epochs=3)
    assert equal(everything(plain), everything(measured))


def test_a_measurement_is_repeatable():
    run = play(metrics=["judge"], metrics_every=1, metrics_samples=50)
    metrics = Metrics({"judge": JudgeMetric()}, metrics_every=1, metrics_samples=50)
    data = run._parts["data"]
    scores = metrics.measure(2, data, run.noise, run.game.sampler)
    assert scores == {key: run.history[-1][key] for key in ("judge", "judge_worst")}


def test_a_generator_that_reads_no_labels_is_refused():
    with pytest.raises(OptionError, match="needs a generator that reads labels"):
        play(metrics=["judge"], generator="fc")


class Nearness(Metric):
    """How far samples are from real examples: a metric that needs them."""

    features, higher_is_better = "judge", False

    def update(self, real_features, fake_features, labels=None):
        self.distance = (real_features.mean(0) - fake_features.mean(0)).norm().item()
        self.counts = len(real_features), len(fake_features)

    def compute(self):
        return {"nearness": self.distance}


def test_a_metric_that_needs_real_examples_gets_them():
    run = play()
    metrics = Metrics({"nearness": Nearness()}, metrics_every=1, metrics_samples=50)
    data = run._parts["data"]
    position = data.state_dict()
    scores = metrics.measure(1, data, run.noise, run.game.sampler)
    assert scores["nearness"] > 0 and metrics.metrics["nearness"].counts == (359, 50)  # the held-out digits
    assert equal(position, data.state_dict())
    assert metrics.measure(1, data, run.noise, run.game.sampler) == scores  # extracted once, and the same


def test_too_few_images_are_refused():
    with pytest.raises(OptionError, match="`judge` needs at least 10 images; got `--metrics-samples 5`"):
        play(metrics=["judge"], metrics_samples=5)


def test_data_without_the_ten_digits_are_refused_before_the_first_batch(tmp_path):
    folder = pictures(tmp_path / "pictures", classes=1)
    with pytest.raises(OptionError, match=r"needs data whose classes are digits .*; got no classes"):
        play(metrics=["judge"], dataset="folder", data_dir=folder, batch_size=4)


def test_names_of_digits_are_what_is_read():
    data = SingleImageData(DigitsSource(), image_class="3,7", image_size=8, image_colors=1).held_out()
    metric, batch = JudgeMetric(class_names=data.class_names), data.examples
    metric.update(None, JudgeLogits()(to_float(batch.image)), batch.label)
    assert metric.compute()["judge"] > 0.95


@pytest.mark.parametrize("classes, got", [(("cat", "dog"), "cat, dog"), ((), "no classes")])
def test_other_classes_are_refused(classes, got):
    with pytest.raises(OptionError, match=f"needs data whose classes are digits .*; got {got}"):
        JudgeMetric(class_names=classes)
