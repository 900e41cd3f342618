import re
import shutil
from pathlib import Path

import pytest

from browser import assert_stands_alone, visit
from pairs import TRANSLATES, pair_pictures
from stored_runs import line, store
from test_report import plain, section


def page(ganzo, words):
    """Write the page, and read it."""
    said = ganzo(f"compare {words}")
    assert said.status == 0, said
    assert_stands_alone(Path(said.out.strip()))
    return Path(said.out.strip()).read_text()


def scored(name, best, fake=500, **options):
    """A run whose fid fell to a value."""
    lines = [
        line(e, train_fid_mean=best + 3 - e, protocol={"fid": {"fake": fake, "seed": 0}}) for e in (1, 2, 3)
    ]
    return store(name, lines, pictures=[3], **options)


@pytest.fixture
def two(ganzo, trained, tiny):
    """The run `t`, and one called `u` of another loss; both were trained."""
    assert ganzo(f"{tiny} --experiment u --seed 6 --loss hinge").status == 0


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_in_a_browser(ganzo, two):
    html = page(ganzo, "t u")
    dom, told = visit(Path("compare.html"))
    assert told["wrong"] == [] and told["asked"] == [] and told["pictures"] == 2
    assert "Drawn with the seed 0: counted row by row, the same image starts from the same noise." in section(
        html, "samples"
    )
    table = plain(re.search(r'<table id="run-table">.*?</table>', dom, re.DOTALL)[0])
    assert re.search(r"t finished 1 5 [\d,.k ]+ [\d,.k ]+ 0:0\d", table)
    said = section(html, "options")
    assert "Option t u --loss gan hinge --margin – 1" in said and "--seed 5 6" in said
    assert html.count("Loss of the generator</b>") == 2  # a hinge loss is another quantity


@pytest.mark.slow
def test_the_same_run_draws_the_same(ganzo, trained):
    (Path("models") / "t").rename("models/a")
    Path("output/t").rename("output/a")
    shutil.copytree("models/a", "models/b")
    html = page(ganzo, "a b")
    one, other = re.findall(r'src="(data:image/[^"]+)"', html)
    assert one == other


@pytest.mark.slow
def test_noise_of_another_size_is_told(ganzo, trained, tiny):
    assert ganzo(f"{tiny.replace('--state-size 4', '--state-size 5')} --experiment u --seed 5").status == 0
    said = section(page(ganzo, "t u"), "samples")
    assert "differs in size or kind" in said and "t noise A" in said and "u noise B" in said


@pytest.mark.slow
def test_a_translation_is_shown_by_its_last_snapshot(ganzo, trained, own_folder):
    words = [w for key, value in TRANSLATES.items() for w in (f"--{key.replace('_', '-')}", str(value))]
    words += [
        "--data-dir",
        pair_pictures(own_folder / "pairs"),
        "--experiment",
        "p",
        "--epochs",
        "1",
        "--no-tune",
    ]
    assert (
        ganzo("train", *words, "--max-batches-per-epoch", "1", "--log", "none", "--threads", "1").status == 0
    )
    said = section(page(ganzo, "t p"), "samples")
    assert "It turns images into images; this is its last snapshot. Snapshot of epoch 1." in said


def test_scores_of_one_protocol_are_ranked(ganzo):
    scored("a", 20.0)
    scored("b", 10.0, seed=2)
    html = page(ganzo, "a b")
    (table,) = re.findall(r'<table class="score-table">.*?</table>', html, re.DOTALL)
    assert "Lower is better. Measured with fake 500, seed 0." in section(html, "scores")
    assert re.findall(r'class="first"><th scope="row">.*?</span>(\w)', table) == ["b"]
    assert plain(table).endswith("b 10 3 10 3 2 a 20 3 20 3 1")
    figures = re.findall(r'<figure class="card">.*?</figure>', section_html(html, "curves"), re.DOTALL)
    assert "fid a b" in plain(figures[0]) and figures[0].count("<g class") == 2
    assert "do not" not in section(html, "scores")


def test_scores_of_two_protocols_are_kept_apart(ganzo):
    scored("a", 20.0)
    scored("b", 10.0, fake=1000)
    html = page(ganzo, "a b")
    assert len(re.findall(r'<table class="score-table">', html)) == 2
    assert 'class="first"' not in html
    said = section(html, "scores")
    assert "did not measure fid in the same way (fake 500 or 1000)" in said
    figures = re.findall(r'<figure class="card">.*?</figure>', section_html(html, "curves"), re.DOTALL)
    assert [figure.count("<g class") for figure in figures] == [1, 1, 2, 2]  # the losses are of one kind


def test_another_seed_is_the_same_protocol(ganzo):
    scored("a", 20.0)
    folder = scored("b", 10.0)
    record = folder.parents[1] / "output/b/results.json"
    record.write_text(record.read_text().replace('"seed": 0', '"seed": 1, "real_against_real": "two halves"'))
    html = page(ganzo, "a b")
    assert len(re.findall(r'<table class="score-table">', html)) == 1 and 'class="first"' in html


def test_a_run_without_scores(ganzo):
    scored("a", 20.0)
    store("b", [line(1)])
    assert "No score was measured for b." in section(page(ganzo, "a b"), "scores")
    store("c")
    html = page(ganzo, "b c")
    assert "None of these runs measured a score." in section(html, "scores")
    store("d")
    assert "None of these runs has finished an epoch." in section(page(ganzo, "c d"), "curves")


def test_weights_that_cannot_be_read(ganzo):
    scored("a", 20.0)
    scored("b", 10.0)
    said = section(page(ganzo, "a b"), "samples")
    assert said.count("Nothing can be drawn from its weights (") == 2 and "Snapshot of epoch 3." in said


def test_options_that_do_not_matter_are_folded(ganzo):
    scored("a", 20.0, threads=1)
    scored("b", 10.0, threads=2)
    said = section(page(ganzo, "a b"), "options")
    assert "All options that matter are the same. 1 more that do not change what is learnt" in said
    assert "--threads 1 2" in said


def test_runs_of_the_same_name_are_told_apart(ganzo):
    store("a", [line(1)])
    store("a", [line(1)], root=Path("other"))
    assert "<title>models/a · other/models/a</title>" in page(ganzo, "a other/models/a --output pages/x.html")


def test_the_help(ganzo):
    assert "usage: ganzo compare RUN RUN" in ganzo("compare --help").out


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("", "`ganzo compare` needs the names of two runs or more; got none."),
        (
            "a",
            "`ganzo compare` needs the names of two runs or more; got a; see one alone by `ganzo report a`.",
        ),
        ("a output/a", "Each run may be named once; `output/a` is the run in `models/a` again."),
        ("a missing", "There is no run in `models/missing`"),
        ("a b --seed 3", "`ganzo compare` has no option `--seed`"),
        ("a b --output models", "`--output` must name a file; `models` is a folder."),
    ],
)
def test_what_is_refused(refused, words, sentence):
    store("a", [line(1)])
    store("b", [line(1)])
    assert refused(f"compare {words}").startswith(sentence)


def section_html(html, name):
    """One section as it is written."""
    return re.search(f'<section id="{name}">(.*?)</section>', html, re.DOTALL)[1]
