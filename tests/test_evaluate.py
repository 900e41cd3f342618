"""`ganzo evaluate`: a stored run over several seeds, and two places without a run."""

import json
import statistics
from pathlib import Path

import numpy as np
import pytest

from ganzo.evaluate import evaluate
from small import pictures, play

FAST = "--metrics-features random --metrics-samples 30"


def files():
    """All that lies in a run's folders, with its content."""
    found = [path for root in ("models", "output") for path in Path(root).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found}


def test_a_run_is_scored_over_several_seeds(ganzo, trained):
    before = files()
    said = ganzo(f"evaluate t --seeds 3 {FAST} --metrics fid,kid --json scores.json")
    assert said.status == 0, said
    assert files() == before
    found = json.loads(Path("scores.json").read_text())
    fid = found["scores"]["fid"]
    assert len(fid["values"]) == 3 and len(set(fid["values"])) == 3
    assert fid["mean"] == pytest.approx(statistics.fmean(fid["values"]))
    assert fid["std"] == pytest.approx(statistics.stdev(fid["values"]))
    assert 0 < fid["real"] < fid["mean"]
    told = found["protocol"]["fid"]
    assert told["seeds"] == [0, 1, 2] and told["fake"] == 30 and told["real"] == 359
    lines = said.out.splitlines()
    assert lines[0].split() == ["score", "mean", "std", "real", "against", "real"]
    assert lines[1].split()[0] == "fid" and lines[2].split()[0] == "kid"
    assert (
        "features random" in said.out and "real against real 30 to 359, training against held out" in said.out
    )


def test_without_metrics_of_its_own_a_run_gets_fid_and_prdc(ganzo, trained):
    said = ganzo(f"evaluate models/t --seeds 1 {FAST}")
    names = [line.split()[0] for line in said.out.partition("\n\n")[0].splitlines()[1:]]
    assert names == ["fid", "precision", "recall", "density", "coverage"]
    assert said.out.splitlines()[1].split()[2] == "-"  # one value has no deviation


def test_the_same_seed_gives_what_training_measured(ganzo, tiny):
    words = "--experiment m --seed 5 --generator-hook ema --metrics fid --metrics-every 1"
    assert ganzo(f"{tiny} {words} {FAST}").status == 0
    (line,) = map(json.loads, Path("output/m/results.json").read_text().splitlines())
    assert ganzo("evaluate m --seeds 1 --json scores.json").status == 0
    found = json.loads(Path("scores.json").read_text())
    measured = next(line[name] for name in ("train_fid_mean", "train_fid", "fid") if name in line)
    assert found["scores"]["fid"]["mean"] == pytest.approx(measured, rel=1e-6)
    assert found["protocol"]["fid"]["averaged"] is True


def test_a_confusion_of_classes_is_told(ganzo, own_folder, monkeypatch):
    from ganzo.nn import classify

    monkeypatch.setitem(classify.STEPS, 16, 2)
    play(generator="cgan", generator_channels=4, epochs=1)
    assert ganzo("evaluate run --seeds 1 --metrics classes --metrics-samples 30 --json s.json").status == 0
    confusion = json.loads(Path("s.json").read_text())["confusion"]
    assert np.array(confusion).shape == (10, 10) and np.array(confusion).sum() == 30


@pytest.mark.parametrize("words, said", [
    ("evaluate", "Say what to evaluate: `ganzo evaluate RUN`, or `ganzo evaluate A B`"),
    ("evaluate a b c", "Say what to evaluate"),
    ("evaluate nothing", "There is no run in `models/nothing`"),
    ("evaluate t --seeds 0", "`--seeds` must be a whole number of at least 1; got '0'"),
    ("evaluate t --save-statistics a.npz", "`--save-statistics` needs two places to compare"),
    ("evaluate a b --seeds 2", "`--seeds` needs a run"),
    ("evaluate a gone", "`gone` must be a folder of pictures, or a .npz file of statistics; it is neither"),
    ("evaluate a wrong.npz", "`wrong.npz` must hold statistics, the arrays `mu` and `sigma`; it does not"),
    ("evaluate a odd.npz", "must hold `mu` of F numbers and `sigma` of F×F; got (2,) and (3, 3)"),
    ("evaluate a plain.npz", "`plain.npz` does not say which features its statistics are of"),
    ("evaluate a code.npz", "`code.npz` names code, `mine.py:Mine`; say so by `--metrics-features mine.py:Mine`."),
    ("evaluate a plain.npz --metrics-features random", "must have features of the same size; got 64 and 2"),
    ("evaluate a plain.npz --metrics kid", "are for `--metrics fid` alone; got kid"),
    ("evaluate a b --metrics kid --save-statistics x.npz", "are for `--metrics fid` alone; got kid"),
    ("evaluate a b --save-statistics s", "`--save-statistics` must name a file that ends in .npz; got `s`"),
    ("evaluate a b --save-statistics wrong.npz/s.npz", "a folder that can be made; `wrong.npz` cannot"),
    ("evaluate a b --metrics judge", "needs data whose classes are digits (`--dataset digits`); got class0, class1"),
    ("evaluate a c --metrics intra-fid", "`a` has class0, class1, and `c` has class0, class1, class2. Give their"),
    ("evaluate a c --metrics fid,classes", "`--metrics classes` needs two folders with the same classes; `a` has"),
    ("evaluate a c/class0 --metrics intra-fid", "`a` has class0, class1, and `c/class0` has no classes. Give"),
])  # fmt: skip
def test_what_cannot_be_evaluated_is_refused(refused, trained, words, said):
    for name in "ab":
        pictures(Path(name), count=20)
    pictures(Path("c"), count=30, classes=3)
    np.savez("plain.npz", mu=np.zeros(2), sigma=np.eye(2))
    np.savez("odd.npz", mu=np.zeros(2), sigma=np.eye(3))
    told = json.dumps({"features": "mine.py:Mine", "image": "8x8x3"})
    np.savez("code.npz", mu=np.zeros(2), sigma=np.eye(2), protocol=told)
    Path("wrong.npz").write_text("no statistics")
    assert said in refused(words)


@pytest.fixture
def two(own_folder):
    """Two folders of pictures that differ."""
    pictures(own_folder / "a", count=40)
    pictures(own_folder / "b", count=30, size=12)


def scores(ganzo, words):
    assert ganzo(f"evaluate {words} --json s.json").status == 0
    return json.loads(Path("s.json").read_text())


def test_two_folders_are_compared(ganzo, two):
    found = scores(ganzo, "a b --metrics-features random --metrics fid,kid,prdc")
    assert set(found["scores"]) == {"fid", "kid", "precision", "recall", "density", "coverage"}
    told = found["protocol"]["fid"]
    assert (told["image"], told["real"], told["fake"], told["split"]) == ("10x10x3", 40, 30, "all")
    assert told["real_against_real"] == "20 to 20, halves of the first"
    assert found["scores"]["fid"]["real"] > 0
    assert scores(ganzo, "a a --metrics-features random")["scores"]["fid"]["mean"] == pytest.approx(
        0, abs=1e-6
    )
    other = scores(ganzo, "a b --metrics-features random --image-size 8 --image-colors 1")
    assert other["protocol"]["fid"]["image"] == "8x8x1"


def test_statistics_stand_for_their_folder(ganzo, two):
    by_folder = scores(ganzo, "a b --metrics-features random --save-statistics a.npz")["scores"]["fid"][
        "mean"
    ]
    scores(ganzo, "b a --metrics-features random --image-size 10 --save-statistics b.npz")
    for words in ("a.npz b", "a b.npz", "a.npz b.npz"):
        found = scores(ganzo, words)
        assert found["scores"]["fid"]["mean"] == pytest.approx(by_folder, rel=1e-9), words
        assert found["protocol"]["fid"]["features"] == "random"
    scores(ganzo, "a.npz b --save-statistics c.npz")
    with np.load("a.npz") as one, np.load("c.npz") as other:
        assert one["mu"].shape == (64,) and np.array_equal(one["sigma"], other["sigma"])


def test_statistics_of_other_tools_have_only_mu_and_sigma(ganzo, own_folder):
    np.savez("a.npz", mu=np.zeros(2), sigma=4 * np.eye(2))
    np.savez("b.npz", mu=np.array([3.0, 4.0]), sigma=np.eye(2))
    assert scores(ganzo, "a.npz b.npz")["scores"]["fid"]["mean"] == pytest.approx(27.0)


@pytest.mark.parametrize("mean, covariance, said", [
    ([0, np.nan], np.eye(2), "`a.npz` must hold finite numbers; 1 of `mu` are not."),
    ([0, 0], np.diag([1, np.inf]), "`a.npz` must hold finite numbers; 1 of `sigma` are not."),
    ([0, 1j], np.eye(2), "`a.npz` must hold `mu` and `sigma` of real numbers; got complex128 and float64."),
    (["0", "1"], np.eye(2), "of real numbers; got <U1 and float64."),
    ([0, 0], [[1, 0.5], [0, 1]], "must be symmetric, as a covariance is; mirrored numbers differ by up to 0.5."),
    ([0, 0], np.diag([1, -1]), "must be positive semi-definite, as a covariance is; its least eigenvalue is -1."),
    ([], np.zeros((0, 0)), "must hold `mu` of F numbers and `sigma` of F×F; got (0,) and (0, 0)."),
])  # fmt: skip
def test_numbers_that_no_statistics_can_be_are_refused(refused, own_folder, mean, covariance, said):
    np.savez("a.npz", mu=np.array(mean), sigma=np.array(covariance))
    assert said in refused("evaluate a.npz a.npz")


@pytest.mark.parametrize("protocol", [[1], {"image": "big"}, {"features": 3}])
def test_a_protocol_that_cannot_be_read_is_refused(refused, own_folder, protocol):
    np.savez("a.npz", mu=np.zeros(2), sigma=np.eye(2), protocol=json.dumps(protocol))
    assert "The `protocol` of `a.npz` must be an object" in refused("evaluate a.npz a.npz")


def test_rounded_statistics_are_taken(ganzo, own_folder):
    seen = np.random.default_rng(0).normal(size=(40, 64))
    np.savez("a.npz", mu=seen.mean(0), sigma=np.cov(seen, rowvar=False))
    np.savez("b.npz", mu=np.float16(seen.mean(0)), sigma=np.float16(np.cov(seen, rowvar=False)))
    assert scores(ganzo, "a.npz b.npz")["scores"]["fid"]["mean"] < 0.1


def test_what_a_file_does_not_tell_is_unknown(ganzo, refused, two):
    scores(ganzo, "a b --metrics-features random --save-statistics new/folder/a.npz")
    with np.load("new/folder/a.npz") as file:
        np.savez("plain.npz", mu=file["mu"], sigma=file["sigma"])
        np.savez("part.npz", mu=file["mu"], sigma=file["sigma"], protocol=json.dumps({"image": "10x10x3"}))
    unknown = dict.fromkeys(("version", "features", "weights", "resize", "image"), "unknown")
    told = scores(ganzo, "new/folder/a.npz plain.npz")["protocol"]["fid"]
    assert told == unknown | {"real": 40, "fake": "unknown"}
    assert scores(ganzo, "plain.npz part.npz")["protocol"]["fid"] == unknown | {
        "real": "unknown",
        "fake": "unknown",
    }
    told = scores(ganzo, "part.npz b --metrics-features random")["protocol"]["fid"]
    assert told == unknown | {"features": "random", "image": "10x10x3", "real": "unknown", "fake": 30}
    assert "`part.npz` does not say which features" in refused("evaluate part.npz b")
    assert "features: random and kid" in refused("evaluate new/folder/a.npz plain.npz --metrics-features kid")


def test_a_score_that_is_no_number_is_null(ganzo, own_folder):
    for name, value in (("a", 1e200), ("b", -1e200)):
        np.savez(f"{name}.npz", mu=np.full(2, value), sigma=np.eye(2))
    assert scores(ganzo, "a.npz b.npz")["scores"]["fid"] == {
        "mean": None,
        "std": None,
        "values": [None],
        "real": None,
    }


def test_classes_go_by_their_names(ganzo, own_folder, monkeypatch):
    from ganzo.nn import classify

    monkeypatch.setitem(classify.STEPS, 16, 2)
    for name in "ab":
        pictures(own_folder / name, count=40)
    assert {"classes_right", "intra-fid"} <= scores(ganzo, "a b --metrics classes,intra-fid")["scores"].keys()
    pictures(own_folder / "flat", count=30, classes=1)
    found = scores(ganzo, "a flat/class0 --metrics classes")["scores"]
    assert "classes_covered" in found and "classes_right" not in found
    for folder in "ab":
        for number in range(2):
            (own_folder / folder / f"class{number}").rename(own_folder / folder / f"{3 + number}")
    found = scores(ganzo, "a b --metrics judge,fid --metrics-features random")
    assert {"judge", "judge_worst", "fid"} <= found["scores"].keys()
    assert "real_against_real" not in found["protocol"]["judge"]


def test_statistics_that_were_made_in_different_ways_are_refused(ganzo, refused, two):
    scores(ganzo, "a b --metrics-features random --save-statistics a.npz")
    scores(ganzo, "b a --metrics-features random --save-statistics b.npz")
    said = refused("evaluate a.npz b.npz")
    assert "were measured in different ways and cannot be compared: image: 10x10x3 and 12x12x3" in said
    assert "image: 10x10x3 and 12x12x3" in refused("evaluate a.npz b --image-size 12")


def test_its_options_are_explained(ganzo):
    said = ganzo("evaluate --help")
    assert said.status == 0 and "--save-statistics" in said.out and "--metrics-features" in said.out
    assert "evaluate" in ganzo("--help").out


def test_it_is_a_function_too(trained):
    from ganzo.options import Completed, Layer, read_file

    layers = [Layer("saved run", read_file(trained / "options.json"))]
    options = Completed([*layers, Layer("here", {"metrics": ["fid"], "metrics_features": "random"})]).options
    options.model_dir, options.experiment = "models", "t"
    assert len(evaluate(options, 2)["scores"]["fid"]["values"]) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--lr 3", "`--generator-lr` is of a run's training, and this one is stored; leave it out."),
        ("--loss wgan", "`--loss` is of a run's training, and this one is stored; leave it out."),
        ("--seed 3", "`--seed` is not asked for here: `--seeds N` scores with the seeds 0 to N - 1."),
    ],
)
def test_what_belongs_to_training_is_refused(refused, trained, words, sentence):
    assert refused(f"evaluate t {words}") == sentence
