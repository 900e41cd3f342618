"""Classes by name and number, subsets by seed, their numbers, their keys, and what is refused."""

import pytest
import torch
from PIL import Image

from ganzo.data import Source
from ganzo.data.digits import DigitsSource
from ganzo.data.folder import FolderSource
from ganzo.data.selection import subset_of, words_of
from ganzo.data.single_image import SingleImageData
from ganzo.data.store import cache_folder, pack
from ganzo.errors import DataError, OptionError


class Numbers(Source):
    """Grey pictures whose value is their number; the class is the number modulo those that there are."""

    def __init__(self, count=12, names=("ant", "bee", "cat"), held=None):
        self.count, self.held, self.name = count, held, "numbers"
        self.class_names = tuple(names)
        self.labels = [i % len(names) for i in range(count)] if names else None
        self.asked = []

    def __len__(self):
        return self.count

    def image(self, index):
        self.asked.append(index)
        return Image.new("L", (4, 4), index)

    def fingerprint(self):
        return f"numbers {self.count} {self.class_names}"

    def held_out(self):
        return self.held


def values(source):
    return [source.image(i).getpixel((0, 0)) for i in range(len(source))]


@pytest.mark.parametrize("wanted", [["cat", "ant"], ["0", "2"], ["ant", "2", "cat"]])
def test_classes_keep_their_order_and_get_new_numbers(wanted):
    chosen = Numbers().select(wanted)
    assert chosen.class_names == ("ant", "cat") and chosen.labels == [0, 1] * 4
    assert values(chosen) == [0, 2, 3, 5, 6, 8, 9, 11] and chosen.name == "numbers"
    assert chosen.item_name(1) == "numbers[2]" and len(chosen.pictures(1)) == 1


def test_one_class_has_no_labels():
    chosen = Numbers().select(["bee"])
    assert chosen.labels is None and chosen.class_names == () and values(chosen) == [1, 4, 7, 10]


def test_a_name_beats_a_number():
    source = Numbers(names=("2", "1", "0"))
    assert values(source.select(["0"])) == [2, 5, 8, 11]
    doubled = Numbers(names=("crane", "bee", "crane")).select(["crane"])  # a bird and a machine
    assert doubled.class_names == ("crane", "crane") and values(doubled) == [0, 2, 3, 5, 6, 8, 9, 11]


def test_what_is_held_out_is_selected_too():
    source = Numbers(held=Numbers(6))
    held = source.select(["bee", "cat"]).held_out()
    assert held.class_names == ("bee", "cat") and held.labels == [0, 1, 0, 1] and values(held) == [1, 2, 4, 5]
    assert Numbers().select(["bee"]).held_out() is None
    assert Numbers(held=Numbers(1)).select(["bee"]).held_out() is None  # it has no bee
    assert len(subset_of(source, 5, 0).held_out()) == 6  # a subset is only of what is trained on
    assert values(subset_of(source.select(["bee"]), 2, 0).held_out()) == [1, 4]


def test_a_subset_is_drawn_by_its_seed_in_the_order_of_the_whole():
    drawn = {seed: values(subset_of(Numbers(200), 20, seed)) for seed in range(5)}
    assert all(found == sorted(set(found)) and len(found) == 20 for found in drawn.values())
    assert len({tuple(found) for found in drawn.values()}) == 5
    assert values(subset_of(Numbers(200), 20, 3)) == drawn[3]
    assert values(subset_of(Numbers(), 12, 1)) == list(range(12))
    subset = subset_of(Numbers(), 5, 0)
    assert subset.labels == [v % 3 for v in values(subset)] and subset.class_names == ("ant", "bee", "cat")


def test_a_subset_of_a_class():
    chosen = subset_of(Numbers(30).select(["bee", "cat"]), 6, 0)
    assert [v % 3 - 1 for v in values(chosen)] == chosen.labels and len(chosen) == 6


def test_keys_differ():
    source = Numbers()
    chosen = [
        source,
        source.select(["ant"]),
        source.select(["bee"]),
        source.select(["ant", "bee"]),
        source.select(["ant", "bee", "cat"]),
        subset_of(source, 4, 0),
        subset_of(source, 4, 1),
        subset_of(source, 12, 0),
    ]
    assert len({one.fingerprint() for one in chosen}) == len(chosen)
    assert source.select(["0"]).fingerprint() == Numbers().select(["ant"]).fingerprint()


def test_only_what_is_selected_is_decoded():
    source = Numbers()
    packed = pack(source.select(["cat", "bee"]), 4, 1, folder=cache_folder(), workers=0)
    assert source.asked == [1, 2, 4, 5, 7, 8, 10, 11] and packed.labels.tolist() == [0, 1] * 4
    pack(source, 4, 1, folder=cache_folder(), workers=0)
    assert len(list(cache_folder().glob("*.packed"))) == 2


def test_options_of_the_data():
    kind = {"image_size": 8, "image_colors": 1, "batch_size": 16, "seed": 0}
    data = SingleImageData(DigitsSource(), image_class="7, 3", subset=100, subset_seed=2, **kind)
    assert data.class_names == ("3", "7") and len(data) == 100 and data.classes == 2
    assert set(data.next().label.tolist()) == {0, 1}
    held = data.held_out()
    whole = DigitsSource(digits_part="test").labels
    assert len(held) == whole.count(3) + whole.count(7) and held.class_names == ("3", "7")
    other = SingleImageData(DigitsSource(), image_class="7,3", subset=100, subset_seed=3, **kind)
    assert not torch.equal(other.examples.image, data.examples.image)
    one = SingleImageData(DigitsSource(), image_class="3", **kind)
    assert one.classes == 0 and one.next().label is None and one.class_names == ()


def test_damaged_pictures_are_counted_among_the_selected(tmp_path):
    for number in range(8):
        path = tmp_path / "in" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), number).save(path)
    for name in ("a/0.png", "b/1.png", "b/3.png"):
        (tmp_path / "in" / name).write_text("no picture")
    source = FolderSource(data_dir="in")
    packed = pack(source.select(["a"]), 4, 1)
    assert packed.images[:, 0, 0, 0].tolist() == [2, 4, 6] and packed.bad[0].startswith("in/a/0.png (")
    with pytest.raises(DataError, match=r"At most 1 of the 4 pictures in `in` may be damaged"):
        pack(source.select(["b"]), 4, 1)


def test_words():
    assert words_of("ant, 2", Numbers()) == ["ant", "2"]
    assert words_of("tench, Tinca", Numbers(names=("tench, Tinca", "b"))) == ["tench, Tinca"]
    for text in ("", "ant,", ",", " "):
        with pytest.raises(OptionError, match=rf"as in `cat,dog`; got `{text}`\. Name one class"):
            words_of(text, Numbers())


@pytest.mark.parametrize(
    "wanted, message",
    [
        ("bea", r"of `numbers`, which are ant, bee, cat; got `bea`\. .*from 0\. Did you mean `bee`\?"),
        ("3", "which are ant, bee, cat; got `3`"),
        ("-1", "got `-1`"),
        ("1.0", "got `1.0`"),
    ],
)
def test_unknown_classes_are_refused(wanted, message):
    with pytest.raises(OptionError, match=r"`--image-class` must name classes .*" + message):
        Numbers().select(["ant", wanted])


def test_many_classes_are_not_all_listed():
    names = [f"class{i}" for i in range(1000)]
    with pytest.raises(
        OptionError, match=r"class0, .*class19, … \(1000 in all\); got `clas900`.*`class900`"
    ) as error:
        Numbers(2000, names).select(["clas900"])
    assert "class20," not in str(error.value)


def test_what_cannot_be_selected_is_refused():
    with pytest.raises(
        OptionError, match=r"`--image-class` needs data with classes, and `numbers` has none\."
    ):
        Numbers(names=()).select(["ant"])
    with pytest.raises(OptionError, match=r"must leave examples; `numbers` has none of the class cat\."):
        Numbers(2).select(["cat"])
    with pytest.raises(
        OptionError, match=r"`--subset` must be at most 12, .* in `numbers`; got 13\. Lower it"
    ):
        subset_of(Numbers(), 13, 0)


def test_a_source_may_know_words_of_its_own():
    class Split(Numbers):
        def select(self, wanted):
            if wanted == ["half"]:
                return Numbers(6)
            return super().select(wanted)

    data = SingleImageData(Split(), image_class="half", image_size=4, batch_size=2, cache_dir="cache")
    assert len(data) == 6 and data.classes == 3
    data = SingleImageData(Split(), image_class="bee", image_size=4, batch_size=2, cache_dir="cache")
    assert len(data) == 4
