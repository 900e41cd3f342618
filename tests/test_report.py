import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser import assert_stands_alone, visit
from ganzo.report import draw_curves
from ganzo.scores import scores_of
from ganzo.stored import is_held, read_run
from stored_runs import line, store

PAGE = Path("output/t/report.html")
SLIDE = """
const slider = document.querySelector(".viewer input"), at = document.querySelector(".at");
const seen = [[slider.value, at.textContent]];
for (const value of [0, 1]) {
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  const same = document.querySelector(".viewer img").src === document.querySelectorAll(".strip img")[value].src;
  seen.push([same, at.textContent]);
}
const cursor = document.querySelector(".chart .cursor").getAttribute("x1");
document.querySelectorAll(".strip button")[2].click();
seen.push([document.querySelector(".strip [aria-current=true]").dataset.epoch, at.textContent]);
return { seen, moved: cursor !== document.querySelector(".chart .cursor").getAttribute("x1") };
"""


def page(ganzo, words="report t"):
    """Write the page, and read it."""
    said = ganzo(words)
    assert said.status == 0 and said.err == "", said
    assert_stands_alone(Path(said.out.strip()))
    return Path(said.out.strip()).read_text()


def plain(html):
    """What a reader sees of a piece of HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def section(html, name):
    """The text of one section."""
    return plain(re.search(f'<section id="{name}">(.*?)</section>', html, re.DOTALL)[1])


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_in_a_browser(ganzo):
    lines = [line(epoch, train_judge=epoch / 4, protocol={"judge": {"fake": 500}}) for epoch in (1, 2, 3)]
    store("t", lines, pictures=(1, 2, 3))
    page(ganzo)
    dom, told = visit(PAGE, SLIDE)
    assert told["wrong"] == [] and told["asked"] == [] and told["pictures"] == 4
    assert told["said"] == {
        "seen": [["2", "Epoch 3"], [True, "Epoch 1"], [True, "Epoch 2"], ["3", "Epoch 3"]],
        "moved": True,
    }
    table = plain(re.search(r'<table id="score-table">.*?</table>', dom, re.DOTALL)[0])
    assert "judge higher is better 0.75 3 0.75 3 fake 500" in table
    assert dom.count('<svg class="chart"') == 2


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_of_a_run_that_was_trained(ganzo, trained):
    html = page(ganzo)
    _, told = visit(PAGE)
    assert told["wrong"] == [] and told["pictures"] == 2
    assert "finished" in html and "Generator fc against discriminator fc" in html


def test_the_samples_are_thinned_and_the_page_stays_small(ganzo):
    store("t", [line(epoch) for epoch in range(1, 41)], pictures=range(1, 41, 3), epochs=40)
    draw = np.random.default_rng(0)
    for path in Path("output/t/samples").iterdir():
        Image.fromarray(draw.integers(0, 256, (600, 600, 3), dtype=np.uint8)).save(path, compress_level=1)
    html = page(ganzo)
    epochs = [int(epoch) for epoch in re.findall(r'data-epoch="(\d+)"', html)]
    assert len(epochs) == 12 and epochs[0] == 1 and epochs[-1] == 40 and epochs == sorted(set(epochs))
    assert "Grid of samples after epoch 40" in html


def test_a_run_that_has_hardly_begun(ganzo):
    store("t")
    (Path("models/t") / "generator.safetensors").unlink()
    html = page(ganzo)
    assert "There are no pictures" in section(html, "samples")
    assert "no finished epoch" in section(html, "curves")
    assert "No score was measured" in section(html, "scores")
    assert "Interrupted after 0 of 3 epochs" in html


def test_a_run_that_is_being_trained(ganzo):
    folder = store("t", [line(1)])
    with (folder / "lock").open("w") as file:
        fcntl = pytest.importorskip("fcntl")
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_held(folder / "lock")
        assert "Still being trained: 1 of 3 epochs so far." in page(ganzo)
    assert not is_held(folder / "lock")


def test_a_run_that_ended_by_its_time(ganzo):
    store("t", [line(1), line(2)], max_seconds=4)
    assert "Ended by its limit of 4 seconds: 2 of 3 epochs." in page(ganzo)


def test_losses_that_are_not_finite(ganzo):
    store(
        "t", [line(1), line(2, train_g_loss=float("nan")), line(3, train_d_loss=float("inf"))], pictures=[3]
    )
    html = page(ganzo)
    assert "the loss was infinite or undefined" in section(html, "curves")
    assert "nan" not in html.lower().split("<main")[1].split("data:image")[0]
    store("none", [line(1, train_g_loss=float("nan"), train_d_loss=float("nan"))])
    assert "No finite value yet." in section(page(ganzo, "report none"), "curves")


def test_a_damaged_picture_is_left_out(ganzo):
    store("t", [line(1)], pictures=[1, 2])
    Path("output/t/samples/epoch_2.png").write_bytes(b"\x89PNG but no more")
    assert re.findall(r'data-epoch="(\d+)"', page(ganzo)) == ["1"]


def test_scores_of_two_protocols_share_no_line(ganzo):
    lines = [line(e, train_fid_mean=9.0 - e, protocol={"fid": {"fake": 500 * e}}) for e in (1, 2)]
    store("t", lines)
    html = page(ganzo)
    assert html.count('<svg class="chart"') == 3  # the losses, and each protocol's
    assert "fid changed how it was measured during the run" in section(html, "scores")
    assert "fake 500" in section(html, "scores") and "fake 1000" in section(html, "scores")


def test_a_score_with_its_deviation_and_real_against_real(ganzo):
    protocol = [{"is": {"fake": 9, "real_against_real": "two halves"}}, {"is": {"fake": 9}}]
    lines = [
        line(1, train_is_mean=2.0, train_is_std=0.5, train_is_real=3.0, protocol=protocol[0]),
        line(2, train_is_mean=2.5, train_is_std=0.25, protocol=protocol[1]),
    ]
    store("t", lines)
    (score,) = scores_of(read_run("t", Path("models")))
    assert (score.name, score.higher, score.real) == ("is", True, 3.0)
    assert "2.5 ± 0.25 2 2.5 ± 0.25 2 3" in section(page(ganzo), "scores")


def test_without_a_protocol_the_options_stand_in(ganzo):
    store("t", [line(1, train_mine=3.0)])
    said = section(page(ganzo), "scores")
    assert "which way is better is not known" in said and "its record tells no protocol" in said


def test_options_that_differ_from_the_recipe(ganzo):
    folder = store("t", [line(1)], lr=0.5, loss="hinge")
    said = section(page(ganzo), "options")
    assert "--loss hinge gan" in said and "--generator-lr 0.5 0.0001" in said and "The defaults" in said
    told = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(told | {"command": ["ganzo", "--config", "digits"]}))
    said = section(page(ganzo), "options")
    assert (
        "The recipe digits" in said and "--generator fc cgan" in said and "--generator-lr 0.5 0.002" in said
    )


def test_code_of_third_parties_is_not_run(ganzo):
    folder = store("t", [line(1)])
    Path("mine.py").write_text("raise SystemExit('it was run')")
    saved = json.loads((folder / "options.json").read_text())
    (folder / "options.json").write_text(json.dumps(saved | {"generator": "mine.py:Mine"}))
    assert "Generator mine.py:Mine" in page(ganzo)


def test_words_of_the_run_are_escaped(ganzo):
    folder = store("t", [line(1)])
    told = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(told | {"note": "<script>alert(1)</script>"}))
    assert "<script>alert" not in page(ganzo)


def test_the_page_may_lie_elsewhere(ganzo):
    store("t", [line(1)])
    assert ganzo("report output/t --output=pages/mine.html").out == "pages/mine.html\n"
    assert ganzo("report t --model-dir ./models").out == f"{PAGE}\n"
    assert "usage: ganzo report RUN" in ganzo("report --help").out


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("report", "`ganzo report` needs the name of one run; got none."),
        ("report t u", "`ganzo report` needs the name of one run; got t u. Put them side by side"),
        ("report missing", "There is no run in `models/missing`"),
        (
            "report t --ouput x",
            "`ganzo report` has no option `--ouput`; it has `--output` and `--model-dir`.",
        ),
        ("report t --output", "`--output` needs a value behind it."),
        (
            "report t --output output/t/results.json/x.html",
            "`output/t/results.json/x.html` cannot be written (File exists); choose another place with `--output`.",
        ),
        ("report t --output models", "`--output` must name a file; `models` is a folder."),
    ],
)
def test_what_is_refused(refused, words, sentence):
    store("t", [line(1)])
    assert refused(words).startswith(sentence)


def test_records_of_others(ganzo):
    strange = [
        {},
        {"epoch": "x", "train_g_loss": "no", "protocol": 3, "train_fid_mean": "abc", "note": {"a": 1}},
        {
            "epoch": 2,
            "train_g_loss": 10**400,
            "train_d_loss": True,
            "protocol": ["a"],
            "train_fid_mean": 5,
            "time": None,
        },
        {
            "epoch": -1,
            "train_fid_mean": 1e-320,
            "train_d_loss": 1e308,
            "protocol": {"fid": "mine"},
            "lr_g": 0,
        },
    ]
    folder = store("t", [])
    Path("output/t/results.json").write_text("\n".join(map(json.dumps, strange)))
    html = page(ganzo)
    assert "Losses" in section(html, "curves") and "fid" in section(html, "scores")
    (folder / "environment.json").unlink()
    (folder / "options.json").write_text('{"experiment": 3, "metrics": "fid", "generator": null}')
    assert "stored no environment.json" in section(page(ganzo), "environment")


def test_a_record_that_is_damaged(refused):
    store("t", [line(1), line(2)])
    path = Path("output/t/results.json")
    path.write_text("{]\n" + path.read_text())
    assert "must hold a record of JSON in each line; line 1 is none" in refused("report t")
    path.write_text(json.dumps(line(1)) + '\n{"epoch": 2, "tra')
    assert len(read_run("t", Path("models")).lines) == 1


def test_curves_of_an_empty_history_are_not_drawn(tmp_path):
    draw_curves([], tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
    draw_curves(
        [{"epoch": 1, "generator": 1.0, "discriminator": float("nan"), "judge": 0.5}], tmp_path / "curves.png"
    )
    assert (tmp_path / "curves.png").is_file()


def test_a_name_in_a_record_runs_no_code(ganzo, own_folder):
    (own_folder / "pwn.py").write_text(
        "open('ran', 'w').close()\n\n\nclass M:\n    higher_is_better = True\n"
    )
    from ganzo.scores import direction

    assert direction("pwn.py:M") is None and direction("pwn:M") is None
    assert not (own_folder / "ran").exists()
    assert direction("fid") is False and direction("is_mean") is True


def test_curves_of_two_protocols_are_not_joined(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    saved = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (figures.append(self), saved(self, *a, **k))[1]
    )
    history = [
        {
            "epoch": epoch,
            "generator": 1.0,
            "discriminator": 1.0,
            "kid_mean": float(epoch),
            "is": 2.0,
            "penalty": 0.1,  # a loss of another name: no protocol tells of it
            "protocol": {"kid": {"features": look, "seed": epoch}, "is": {"features": "inception"}},
        }
        for epoch, look in enumerate(["random", "random", "judge", "judge", "random"], 1)
    ]
    del history[1]["kid_mean"], history[1]["protocol"]
    del history[1]["is"]
    draw_curves(history, tmp_path / "curves.png")
    losses, kid, score, penalty = figures[0].axes
    assert [list(line.get_xdata()) for line in losses.lines] == [[1, 2, 3, 4, 5]] * 2
    assert [list(line.get_xdata()) for line in kid.lines] == [[1], [3, 4], [5]]
    assert kid.lines[0].get_color() == kid.lines[2].get_color() != kid.lines[1].get_color()
    named = [text.get_text() for text in kid.get_legend().get_texts()]
    assert named == ["kid_mean", "kid_mean (2nd protocol)"]
    assert [list(line.get_xdata()) for line in score.lines] == [[1, 3, 4, 5]] and score.get_legend() is None
    assert [list(line.get_xdata()) for line in penalty.lines] == [[1, 2, 3, 4, 5]]
