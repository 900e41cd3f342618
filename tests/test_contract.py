import pytest
import torch
from torch import nn

from formats import NAMED_SETS, named_set
from ganzo.hook import Hook
from ganzo.registry import Registry, register
from ganzo.testing import check_component, everything_registered

pytestmark = pytest.mark.filterwarnings("ignore:.*lr_scheduler.*")


@pytest.fixture
def third_party():
    """What is registered inside is forgotten afterwards."""
    known = {room: dict(names) for room, names in Registry._classes.items()}
    yield
    Registry._classes.clear()
    Registry._classes.update(known)


def test_the_whole_registry_is_there():
    found = everything_registered()
    assert len(found) == len(set(found))
    assert {("generator", "fc"), ("loss", "gan"), ("game", "standard"), ("features", "judge")} <= set(found)


SUITED = {  # what the small run's 16 grey pixels do not suit
    ("generator", "u-gen"): {"image_size": 32},
    ("generator", "sn-resnet"): {"image_size": 32},
    ("discriminator", "sn-resnet"): {"image_size": 32},
    ("discriminator", "patch-gan"): {"discriminator_receptive_field": 16},
}


@pytest.mark.parametrize(
    ("namespace", "name"), everything_registered(), ids=["-".join(x) for x in everything_registered()]
)
def test_every_component_keeps_its_contract(namespace, name, tmp_path):
    files = named_set(tmp_path / "files", name, 94) if name in NAMED_SETS else {}
    check_component(namespace, name, **SUITED.get((namespace, name), {}), **files)


@pytest.mark.parametrize("name", [n for room, n in everything_registered() if room == "discriminator"])
def test_spectral_norm_keeps_the_contract_too(name):
    suited = SUITED.get(("discriminator", name), {})
    check_component("discriminator", name, discriminator_spectral_norm=True, **suited)


@pytest.mark.parametrize(
    ("room", "name"), [x for x in everything_registered() if x[0] in ("generator", "discriminator")]
)
def test_networks_keep_the_contract_on_images_that_are_no_squares(room, name):
    check_component(room, name, **SUITED.get((room, name), {}) | {"image_size": "96x64"})


class Painter(nn.Module):
    """Args:
    bright: help that is not at its place
    """

    def __init__(self, *, bright: float = 1.0, state_size: int = 8, image_size: int = 16):
        super().__init__()
        self.side = image_size
        self.paint = nn.Linear(state_size, image_size**2)

    def forward(self, noise, labels=None):
        return self.paint(noise).tanh().reshape(-1, 1, self.side, self.side)


def made(namespace, base, **changed):
    cls = type("Mine", (base,), {"__doc__": "Mine.\n\nArgs:\n    bright: how bright it is\n", **changed})
    globals()["Mine"] = cls  # where pickle looks for it
    register(namespace, "mine")(cls)


def test_a_sound_third_party_component_passes(third_party):
    made("generator", Painter)
    check_component("generator", "mine")
    check_component("generator", "mine", image_size=32)


def unreached(self, noise, labels=None):
    return self.paint(noise).detach().tanh().reshape(-1, 1, self.side, self.side) + 0 * self.paint.bias.sum()


def too_large(self, noise, labels=None):
    return 5 + self.paint(noise).reshape(-1, 1, self.side, self.side)


def too_small(self, noise, labels=None):
    return self.paint(noise).tanh().reshape(-1, 1, self.side, self.side)[:, :, ::2]


def untyped(self, *, bright=1.0, state_size: int = 8, image_size: int = 16):
    Painter.__init__(self, state_size=state_size, image_size=image_size)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"forward": unreached}, "none reaches paint.weight"),
        ({"forward": too_large}, r"must lie in \[-1, 1\]"),
        ({"forward": too_small}, "must have the asked size"),
        ({"__init__": untyped}, "`bright` must have a type"),
        ({"__doc__": "No help."}, "`bright` must have a line under `Args:`"),
    ],
)
def test_what_is_broken_is_said(third_party, changed, sentence):
    made("generator", Painter, **changed)
    with pytest.raises(AssertionError, match=sentence):
        check_component("generator", "mine")


def test_state_that_is_not_kept_is_found(third_party):
    class Forgetful(Hook):
        def __init__(self):
            self.steps = 0

        def apply(self, model):
            self.steps += 1

        def state_dict(self):
            return {"steps": self.steps}

        def load_state_dict(self, state):
            pass

    register("hook", "mine")(Forgetful)
    with pytest.raises(AssertionError, match="What `load_state_dict` is given"):
        check_component("hook", "mine")


def test_doors_that_differ_are_found(third_party):
    class Random(nn.Module):
        def __init__(self, *, state_size: int = 8):
            super().__init__()
            self.weight = nn.Parameter(
                torch.randn(3, generator=torch.Generator().manual_seed(torch.seed() % 1000))
            )

    register("generator", "mine")(Random)
    with pytest.raises(AssertionError, match="must build the same"):
        check_component("generator", "mine")
