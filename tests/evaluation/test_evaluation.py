import json
import math
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.evaluation import Record
from ganzo.evaluation.generator_loss import GeneratorLoss
from ganzo.evaluation.latest import Latest
from ganzo.evaluation.metric import JudgeEvaluation, MetricEvaluation
from ganzo.metric import Metric
from ganzo.registry import Registry, build
from small import play


def test_the_latest_is_always_better():
    assert Latest().has_improved({}) and Latest().has_improved({"generator": math.nan})


def test_a_smaller_loss_is_better():
    evaluation = GeneratorLoss()
    losses = [2.0, 3.0, 1.0, 1.0, 0.5]
    assert [evaluation.has_improved({"generator": x}) for x in losses] == [True, False, True, False, True]


def test_a_higher_score_is_better_and_an_epoch_without_one_is_not():
    evaluation = JudgeEvaluation()
    seen = [{"judge": 0.5}, {}, {"judge": 0.4}, {"judge": 0.6}]
    assert [evaluation.has_improved(numbers) for numbers in seen] == [True, False, False, True]


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_no_improvement(higher, value):
    record = Record("x", higher)
    assert not record.has_improved({"x": value})
    assert record.has_improved({"x": 1.0})
    assert not record.has_improved({"x": value})


def test_the_record_survives_a_checkpoint(tmp_path):
    one, other, fresh = GeneratorLoss(), GeneratorLoss(), GeneratorLoss()
    one.has_improved({"generator": 1.0})
    for state, evaluation in ((one.state_dict(), other), (fresh.state_dict(), fresh)):
        torch.save(state, tmp_path / "state.pt")
        evaluation.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert not other.has_improved({"generator": 1.5}) and other.has_improved({"generator": 0.9})
    assert fresh.has_improved({"generator": 9.0})


def test_the_judges_score_must_be_measured():
    with pytest.raises(OptionError, match="`--evaluation-criterion judge` needs `--metrics judge`"):
        play(evaluation_criterion="judge")


def test_the_best_of_a_run_is_kept_with_its_score():
    options = {
        "evaluation_criterion": "judge",
        "metrics": ["judge"],
        "metrics_every": 1,
        "metrics_samples": 50,
    }
    run = play(epochs=4, **options)
    score = json.loads(Path("models/run/best/score.json").read_text())
    best = max(line["judge"] for line in run.history)
    assert score["numbers"]["judge"] == best
    assert score["epoch"] == next(line["epoch"] for line in run.history if line["judge"] == best)


MODULE = """
from ganzo.metric import Metric
from ganzo.registry import register


class Bright(Metric):
    features, higher_is_better, needs_real = "judge", {higher}, False
    measured = 0

    def update(self, real_features, fake_features, labels=None):
        self.measured += 1

    def compute(self):
        return {{"bright": [3.0, 5.0, 4.0, 1.0][self.measured - 1], "other": float(self.measured)}}


register("metric", "bright")(Bright)
"""


@pytest.mark.parametrize("higher, best", [(True, 2), (False, 4)])
@pytest.mark.parametrize("name", ["bright", "mine.py:Bright"])
def test_any_metric_decides_in_its_own_direction(own_folder, registry, monkeypatch, higher, best, name):
    (own_folder / "mine.py").write_text(MODULE.format(higher=higher))
    if name == "bright":
        monkeypatch.syspath_prepend(own_folder)
        monkeypatch.setenv("GANZO_LOAD_MODULES", "mine")
    options = {"metrics": [name], "metrics_every": 1, "metrics_samples": 10, "generator": "cgan"}
    play(epochs=4, evaluation_criterion=name, generator_channels=4, **options)
    assert json.loads(Path("models/run/best/score.json").read_text())["epoch"] == best
    with pytest.raises(OptionError, match=f"`--evaluation-criterion {name}` needs `--metrics {name}`"):
        play(experiment="other", evaluation_criterion=name, metrics=[])
    assert not Path("models/other/best").exists()


def test_epochs_without_a_score_are_no_improvement(registry, own_folder):
    (own_folder / "mine.py").write_text(MODULE.format(higher=True))
    options = {"metrics": ["mine.py:Bright"], "metrics_every": 2, "metrics_samples": 10, "generator": "cgan"}
    play(epochs=5, evaluation_criterion="mine.py:Bright", generator_channels=4, **options)
    assert json.loads(Path("models/run/best/score.json").read_text())["epoch"] == 4


def evaluation_of(registry, name, **offered):
    registry.add("metric", name, type("Mine", (Metric,), {"higher_is_better": False}))
    return build("evaluation", name, Namespace(), **offered)


def test_the_score_is_found_by_the_name_of_the_metric(registry):
    evaluation = evaluation_of(registry, "far-off", measured=("far-off",))
    assert isinstance(evaluation, MetricEvaluation)
    seen = [{"far_off": 2.0}, {"far_off_worst": 1.5}, {"far-off_mean": 1.0}, {"far": 0.0}, {"generator": 0.0}]
    assert [evaluation.has_improved(numbers) for numbers in seen] == [True, True, True, False, False]
    assert evaluation.state_dict() == {"best": -1.0}


def test_the_score_is_the_one_that_the_metrics_say(registry):
    measured = {"mine": ""}  # it is filled when the metric is measured for the first time
    evaluation = evaluation_of(registry, "mine", measured=measured)
    assert not evaluation.has_improved({"generator": 1.0})
    measured["mine"] = "train_mean"
    assert evaluation.has_improved({"mine_2": 1.0, "train_mean": 3.0})
    assert not evaluation.has_improved({"mine_2": 0.5, "train_mean": 4.0})
    assert not evaluation.has_improved({"mine_2": 0.5})


def test_a_name_of_the_rooms_own_comes_before_a_metrics(registry):
    registry.add("metric", "latest", type("Mine", (Metric,), {}))
    assert registry.lookup("evaluation", "latest") is Latest
    assert registry.keys("evaluation").count("latest") == 1


def test_an_evaluation_from_a_file_is_taken_as_it_is(own_folder, registry):
    (own_folder / "mine.py").write_text(
        "class Mine:\n    def has_improved(self, losses):\n        return True\n"
    )
    assert build("evaluation", "mine.py:Mine", Namespace()).has_improved({})


def test_what_is_neither_an_evaluation_nor_a_metric(refused, tiny):
    said = refused(f"{tiny} --evaluation-criterion ganzo.hook.ema:EMA")
    assert "must be a evaluation to be chosen as one; it belongs to the room hook" in said
    said = refused(f"{tiny} --evaluation-criterion juge")
    assert said == (
        "There is no evaluation called `juge`: choose among classes, fid, generator-loss, intra-fid, is, judge,"
        " kid, latest, prdc. Did you mean `judge`?"
    )


def test_metrics_are_listed_among_the_evaluations(ganzo):
    for name in Registry.keys("metric"):
        assert f"{name}: Takes the epoch with the best score of `{name}`" in ganzo("list evaluation").out
        assert f"`--metrics {name}` measures it" in ganzo(f"list evaluation {name}").out


def test_no_other_class_can_be_imported():
    with pytest.raises(ImportError):
        exec("from ganzo.evaluation.metric import NoSuchEvaluation")


def test_with_the_latest_nothing_is_kept_twice():
    play()
    assert not Path("models/run/best").exists()


def test_the_room_gives_the_class_of_a_metrics_evaluation():
    from ganzo.evaluation import JudgeEvaluation

    assert JudgeEvaluation is Registry.lookup("evaluation", "judge")


def test_scores_of_two_protocols_are_not_compared(tmp_path, capsys):
    def of(features, seed=0):
        return {"judge": {"features": features, "seed": seed, "resize": (8, 8)}}

    one, other = JudgeEvaluation(), JudgeEvaluation()
    for seed, score in enumerate((0.9, 0.5)):
        one.measured_by(of("random", seed))
        assert one.has_improved({"judge": score}) == (seed == 0)
    torch.save(one.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    other.measured_by(None)  # an epoch without scores
    assert not other.has_improved({}) and not capsys.readouterr().err
    seen = []
    for score in (0.4, 0.3, 0.6):
        other.measured_by(of("classifier"))
        seen.append(other.has_improved({"judge": score}))
    assert seen == [True, False, True]
    said = "ganzo: the best `judge` so far was measured otherwise (features); counting starts anew.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("one, other", [({"size": 1, "seed": 1}, {"size": 2, "seed": 1}), ("mine", "yours")])
def test_a_protocol_of_all_scores_counts_for_each(one, other):
    evaluation, seen = JudgeEvaluation(), []
    for protocol, score in ((one, 0.5), (one, 0.4), (other, 0.3)):
        evaluation.measured_by(protocol)
        seen.append(evaluation.has_improved({"judge": score}))
    assert seen == [True, False, True]


def test_a_state_without_a_protocol_still_loads(capsys):
    evaluation = JudgeEvaluation()
    evaluation.load_state_dict({"best": 0.5})
    evaluation.measured_by({"judge": {"features": "judge"}})
    assert not evaluation.has_improved({"judge": 0.4}) and evaluation.has_improved({"judge": 0.6})
    assert not capsys.readouterr().err


def test_a_restored_run_with_other_features_looks_for_its_best_anew(capsys):
    options = {"evaluation_criterion": "fid", "metrics": ["fid"], "metrics_every": 1, "metrics_samples": 50}
    first = play(epochs=1, metrics_features="random", **options)
    first._parts["evaluation"].best = 0.0  # whatever comes is worse
    first.save()
    same = play(epochs=2, metrics_features="random", restore=True, **options)
    assert json.loads(Path("models/run/best/score.json").read_text())["epoch"] == 1
    assert "measured otherwise" not in capsys.readouterr().err
    play(epochs=3, metrics_features="classifier", restore=True, **options)
    assert json.loads(Path("models/run/best/score.json").read_text())["epoch"] == 3
    said = capsys.readouterr().err
    assert said.count("the best `fid` so far was measured otherwise (features") == 1
    assert same.history[-1]["protocol"]["fid"]["features"] == "random"
