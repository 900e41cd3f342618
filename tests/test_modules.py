"""Components from files, with their arguments: classes, and files that offer functions as GAN doctor's do."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from ganzo.errors import DataError
from ganzo.grammar import arguments
from ganzo.modules import as_picture

pytestmark = pytest.mark.usefixtures("registry")

NETS = """
from torch import nn

def get_network(z_dim, nf, slope=0.2, flat=False):
    '''Two layers.'''
    return nn.Sequential(nn.Linear(z_dim, nf), nn.LeakyReLU(slope), nn.Linear(nf, 64), nn.Tanh(),
                         nn.Unflatten(1, (1, 8, 8)))
"""
JUDGE = """
from torch import nn

def get_network(nf: int = 4, spec_norm=False):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, nf), nn.ReLU(), nn.Linear(nf, 1))
"""
DATA = """
import torch

def get_dataset_train(img_size, count=40):
    return [(torch.full((1, img_size, img_size), i / count * 2 - 1), i) for i in range(count)]

def get_dataset_test(img_size, count=40):
    return [(torch.ones(1, img_size, img_size), i) for i in range(count // 2)]
"""
GAME = """
from torch import nn
from ganzo.game import Game

class MyGame(Game):
    '''Both moves of one minibatch.

    Args:
        strength: how much the generator's loss counts
    '''

    def __init__(self, *parts, strength: float = 1.0, **named):
        super().__init__(*parts, **named)
        self.strength = strength

    def train_on_instance(self, z, x, y):
        d_loss = self.loss.for_discriminator(x, self.generator(z).detach(), y)
        self.discriminator.move(d_loss)
        with self.discriminator.frozen():
            g_loss = self.strength * self.loss.for_generator(self.generator(z), y)
            self.generator.move(g_loss)
        return {"generator": g_loss, "discriminator": d_loss}

def get_class():
    return MyGame
"""


@pytest.fixture(autouse=True)
def nets(own_folder, monkeypatch):
    (own_folder / "nets").mkdir()
    for name, text in (("gen", NETS), ("disc", JUDGE), ("data", DATA), ("game", GAME)):
        (own_folder / "nets" / f"{name}.py").write_text(text)


def options_of(folder):
    return json.loads((folder / "models" / "x" / "options.json").read_text())


@pytest.mark.parametrize(
    "text",
    ['{"nf": 16, "slope": 0.1}', "{'nf': 16, 'slope': 0.1}", "nf=16,slope=1e-1", " nf = 16 , slope = 0.1 "],
)
def test_the_arguments_of_a_file_of_functions(ganzo, tiny, own_folder, text):
    words = [*tiny.split(), "--experiment", "x", "--generator", "nets/gen.py", "--generator-args", text]
    said = ganzo(*words, "--discriminator", "nets/disc.py", "--discriminator-args", "nf=8")
    assert said.status == 0, said.err
    assert {"generator_nf": 16, "generator_slope": 0.1, "discriminator_nf": 8}.items() <= options_of(
        own_folder
    ).items()
    more = [
        *words[:-1],
        "nf=16,slope=0.1",
        "--discriminator",
        "nets/disc.py:nf=8",
        "--restore",
        "--epochs",
        "2",
    ]
    said = ganzo(*more)
    assert said.status == 0, said.err
    drawn = ganzo("sample x --num-samples 2")
    assert drawn.status == 0 and "runs code from nets/gen.py" in drawn.err


def test_its_options_have_flags_of_their_own(ganzo, tiny):
    said = ganzo(f"{tiny} --dry-run --generator nets/gen.py --generator-nf 3 --generator-slope 0.5")
    assert said.status == 0, said.err
    assert "FileNetwork: 271 parameters" in said.out  # 4·3+3 and 3·64+64


def test_its_options_inline(ganzo, tiny, own_folder):
    said = ganzo(
        f"{tiny} --experiment x --generator nets/gen.py:nf=16,flat=true --discriminator nets/disc.py:nf=2"
    )
    assert said.status == 0, said.err
    assert {"generator_nf": 16, "generator_flat": True, "discriminator_nf": 2}.items() <= options_of(
        own_folder
    ).items()


def test_arguments_without_a_name_belong_to_what_is_chosen_elsewhere(ganzo, own_folder):
    (own_folder / "o.yaml").write_text("generator: fc\ngenerator_args: {layers: 2}\ndataset: digits\n")
    words = "--dry-run --config o.yaml --image-size 8 --image-colors 1 --discriminator-args layers=3"
    said = ganzo(f"train {words} --loss-args soft_labels=true")
    assert said.status == 0, said.err
    rows = [line.split() for line in said.out.splitlines()]
    assert ["generator_layers", "2", "config", "o.yaml"] in rows
    assert ["discriminator_layers", "3", "command", "line"] in rows
    assert ["soft_labels", "True", "command", "line"] in rows


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "--generator nets/gen.py --generator-args width=3",
            "The generator `nets/gen.py` has no option `width`; it has nf, slope, flat.",
        ),
        ("--generator nets/gen.py", "needs `nf`; give it among its arguments, as `nf=…`."),
        (
            "--discriminator nets/disc.py --discriminator-args nf=wide",
            "`--discriminator-nf` must be a whole number; got 'wide'.",
        ),
        ("--generator nets/data.py", "`nets/data.py` offers no `get_network`, so its class must be named"),
        ("--loss nets/gen.py", "`nets/gen.py` is a file, so its class must be named"),
        ("--generator fc --generator-args name=conv", "got `name`, which selects it."),
        ("--game nets/none.py", "There is no file `nets/none.py`"),
        ("--dataset nets/gen.py", "`nets/gen.py` offers no `get_dataset_train`"),
        (
            "--generator fc --generator fc:layers=3 --generator-args layers=2",
            "needs one `--generator`; got 2.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(refused, tiny, words, sentence):
    assert sentence in refused(f"{tiny} --experiment x {words}")


@pytest.mark.parametrize(
    "text",
    ["nf", "[1]", "{", "{1: 2}", "{'a': {1, 2}}", "b,a=1", "__import__('os').system('touch hacked')", "=3"],
)
def test_other_texts_are_refused_and_never_run(refused, tiny, own_folder, text):
    sentence = refused(*tiny.split(), "--experiment", "x", "--generator-args", text)
    assert sentence.startswith("`--generator-args` must be JSON, a Python literal or key=value pairs")
    assert not (own_folder / "hacked").exists()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("", {}),
        ("a=[1, 2],b={'x': 1}", {"a": [1, 2], "b": {"x": 1}}),
        ('{"a": null, "b": true}', {"a": None, "b": True}),
        ("{'a': None, 'b': True}", {"a": None, "b": True}),
        ("a=none,b=true,c=text,d=x=y", {"a": None, "b": True, "c": "text", "d": "x=y"}),
        ({"wide-open": 1}, {"wide_open": 1}),
    ],
)
def test_what_arguments_mean(given, found):
    assert arguments(given, "--x") == found


def test_a_file_of_data(ganzo, tiny, own_folder):
    words = tiny.replace("--dataset digits", "--dataset nets/data.py --dataset-args count=24")
    said = ganzo(f"{words} --experiment x")
    assert said.status == 0, said.err
    assert options_of(own_folder)["count"] == 24
    from ganzo.data import Data
    from ganzo.options import make_options

    small = {"image_size": 8, "image_colors": 1, "batch_size": 40, "device": "cpu"}
    data = Data.from_options(make_options(dataset="nets/data.py", **small))
    values = sorted(data.next().image[:, 0, 0, 0].tolist())
    assert values == pytest.approx([i / 40 * 255 for i in range(40)], abs=0.51) and data.classes == 0
    assert (data.held_out().next().image == 255).all() and len(data.held_out()) == 20
    assert data.source.fingerprint() == data.source.fingerprint() != data.source.held_out().fingerprint()


@pytest.mark.parametrize(
    "image",
    [
        torch.tensor([[[-1.0, 1.0]]]),
        torch.tensor([[[0, 255]]], dtype=torch.uint8),
        torch.tensor([[-1.0, 1.0]]),
        np.array([[[0], [255]]], dtype=np.uint8),
        np.array([[[-1.0, 1.0]]]),
        np.array([[-1.0, 1.0]], dtype=np.float16),
        Image.fromarray(np.array([[0, 255]], dtype=np.uint8)),
    ],
)
def test_what_an_example_may_be(image):
    for example in (image, (image, 3)):
        assert np.asarray(as_picture(example)).tolist() == [[0, 255]]
    assert as_picture(torch.zeros(3, 4, 5)).size == (5, 4)


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_the_colours_of_an_array_come_first_or_last(shape, kind):
    assert as_picture(np.zeros(shape, kind)).size == (5, 4)


def test_an_array_of_either_order_goes_by_its_type():
    pixels = np.zeros((3, 4, 3), np.uint8)
    assert as_picture(pixels).size == (4, 3) and as_picture(pixels / 255).size == (3, 4)


@pytest.mark.parametrize(("example", "got"), [
    ({"a": 1}, "a dict"), (np.zeros((5, 4, 7)), "5×4×7 of float64"),
    (torch.zeros(3, 4, 5, dtype=torch.int64), "3×4×5 of torch.int64"), ((), "a tuple"),
])  # fmt: skip
def test_what_no_example_may_be(example, got):
    with pytest.raises(DataError, match=f"An example must begin with a picture: .*; got {got}."):
        as_picture(example)


@pytest.mark.parametrize(("body", "sentence"), [
    ("return []", "`get_dataset_train` of `nets/data.py` must return a data set of map style that holds examples;"
     " got an empty one."),
    ("return iter([1])", "that holds examples; got a list_iterator."),
    ("return [torch.rand(1, 8, 8)] * 70", "must be uint8, or float in [-1, 1]; got none below 0 in the first 64, as"
     " `ToTensor` makes them. Leave it out, or add `Normalize(0.5, 0.5)`."),
    ("return [torch.rand(1, 8, 8).numpy()] * 3", "got none below 0 in the first 3, as `ToTensor`"),
    ("return [({}, 1)]", "An example must begin with a picture"),
])  # fmt: skip
def test_data_that_do_not_fit_are_refused(refused, tiny, own_folder, body, sentence):
    text = f"import torch\n\ndef get_dataset_train(img_size):\n    {body}\n"
    (own_folder / "nets" / "data.py").write_text(text)
    assert sentence in refused(tiny.replace("--dataset digits", "--dataset nets/data.py"))


def test_an_empty_held_out_part_is_refused(own_folder):
    (own_folder / "nets" / "data.py").write_text(DATA.replace("count // 2", "0"))
    from ganzo.data import Data
    from ganzo.options import make_options

    small = {"image_size": 8, "image_colors": 1, "batch_size": 4, "device": "cpu"}
    data = Data.from_options(make_options(dataset="nets/data.py", **small))
    with pytest.raises(
        DataError, match=r"`get_dataset_test` of `nets/data.py` must return .* got an empty one"
    ):
        data.held_out()


def test_random_transforms_are_told(ganzo, tiny, own_folder):
    words = tiny.replace("--dataset digits", "--dataset nets/data.py")
    sentence = (
        "gives another picture each time that it is read, as random transforms do; one draw of each is kept"
    )
    assert sentence not in ganzo(f"{words} --experiment x").err
    (own_folder / "nets" / "drawn.py").write_text("""
import torch

class Random:
    def __len__(self):
        return 40

    def __getitem__(self, index):
        return torch.rand(1, 8, 8) * 2 - 1

def get_dataset_train(img_size):
    return Random()
""")
    said = ganzo(f"{words.replace('data.py', 'drawn.py')} --experiment y")
    assert said.status == 0 and said.err.count(sentence) == 1, said.err


@pytest.mark.parametrize("name", ["nets/game.py", "nets/game.py:MyGame"])
def test_a_game_of_one_method(ganzo, tiny, own_folder, name):
    said = ganzo(f"{tiny} --experiment x --game {name} --game-args strength=0.5")
    assert said.status == 0, said.err
    assert options_of(own_folder)["strength"] == 0.5
    sentence = "makes both moves of a turn from one minibatch"
    assert sentence in ganzo(f"{tiny} --experiment y --game {name} --discriminator-iterations 2").err


def test_a_class_is_what_get_class_returns(refused, tiny, own_folder):
    (own_folder / "nets" / "game.py").write_text("def get_class():\n    return 3\n")
    assert re.search("`get_class` .* must return a class; got 3", refused(f"{tiny} --game nets/game.py"))
