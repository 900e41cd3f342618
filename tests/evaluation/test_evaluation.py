import json
import math
from pathlib import Path

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.evaluation import Record
from ganzo.evaluation.generator_loss import GeneratorLoss
from ganzo.evaluation.judge import JudgeEvaluation
from ganzo.evaluation.latest import Latest
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


def test_with_the_latest_nothing_is_kept_twice():
    play()
    assert not Path("models/run/best").exists()
