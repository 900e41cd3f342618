import re

import pytest
from PIL import Image

from ganzo.charts import MOST, Line, chart, powers, steps, thinned, whole
from ganzo.pages import count, embedded
from ganzo.scores import differences, direction, text
from ganzo.stored import count_parameters, short
from stored_runs import store


@pytest.mark.parametrize(
    "low, high, expected",
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (3, 3, [1, 2, 3, 4, 5]),
        (0, 0, [-1, -0.5, 0, 0.5, 1]),
        (-7, 9, [-10, -5, 0, 5, 10]),
    ],
)
def test_round_numbers_at_an_axis(low, high, expected):
    assert steps(low, high) == expected


def test_powers_and_epochs_at_an_axis():
    assert powers(0.05, 300) == pytest.approx([0.01, 0.1, 1, 10, 100, 1000])
    assert powers(1.3, 24) == pytest.approx([1, 2, 5, 10, 20, 50]) and powers(2, 2) == [2]
    assert len(powers(1e-9, 1e9)) < 9
    assert whole(1, 1) == [1] and whole(1, 2) == [1, 2] and whole(1, 24) == [5, 10, 15, 20]


def test_a_chart_breaks_where_a_value_is_missing():
    drawn = chart("loss", [Line("g", 0, [(1, 1.0), (2, None), (3, 2.0), (4, 3.0)])])
    path = re.search(r'<g class="c0"><path d="([^"]*)"', drawn)[1]
    assert path.count("M") == 2 and path.count("L") == 1
    assert "g from 1 to 3" in drawn and "logarithmic" not in drawn
    assert "logarithmic scale" in chart("fid", [Line("a", 0, [(1, 900.0), (2, 2.0)])])
    assert chart("nothing", [Line("a", 0, [(1, None)])]) == ""
    assert "&lt;b&gt;" in chart("<b>", [Line("<b>", 0, [(1, 1.0)])]) and "<b>" not in chart(
        "<b>", [Line("<b>", 0, [(1, 1.0)])]
    )


def test_a_long_line_is_thinned_with_its_peaks():
    points = [(x, 0.0) for x in range(10_000)]
    points[5000], points[7000:7100] = (5000, 9.0), [(x, None) for x in range(7000, 7100)]
    kept = thinned(points)
    assert len(kept) <= MOST + 2 and (5000, 9.0) in kept and any(y is None for _, y in kept)


def test_a_large_picture_is_made_to_fit():
    noise = Image.effect_noise((700, 500), 99)
    source, width, height = embedded(noise, 20_000)
    assert source.startswith("data:image/jpeg") and len(source) < 30_000 and width < 700 and height < width
    source, width, height = embedded(noise, 10_000_000)
    assert source.startswith("data:image/png") and (width, height) == (700, 500)


def test_weights_are_counted_without_what_is_not_learnt(tmp_path):
    assert count_parameters(store("t") / "generator.safetensors") == 6
    (tmp_path / "broken").write_bytes(b"123")
    assert count_parameters(tmp_path / "broken") is None
    assert [count(n) for n in (None, 6, 4321, 43_210, 1_234_567, 3e9)] == [
        "unknown",
        "6",
        "4,321",
        "43.2 k",
        "1.23 M",
        "3 G",
    ]


def test_names_and_directions():
    assert [short(key) for key in ("train_fid_mean", "judge", "train_g_loss")] == [
        "fid",
        "judge",
        "generator",
    ]
    assert [direction(name) for name in ("judge_worst", "fid", "coverage", "mine")] == [
        True,
        False,
        True,
        None,
    ]
    assert differences([{"fake": 1, "seed": 0}, {"fake": 2, "seed": 1}]) == "fake 1 or 2"
    assert text({"a_b": [1, 2.5], "c": None, "d": True}) == "a b 1, 2.5, c none, d yes"
    assert text("0123456789abcdef" * 4) == "0123456789ab…"
