"""Labels in every network: each cell of the tables in docs/classes.md is trained, or refused, as the table says."""

from pathlib import Path

import pytest
import torch

from ganzo.assemble import assemble
from ganzo.errors import OptionError
from ganzo.options import make_options
from ganzo.registry import Registry
from pairs import TRANSLATES, pair_pictures
from small import SMALL

PAGE = (Path(__file__).parents[1] / "docs/classes.md").read_text(encoding="utf-8")


def table(player):
    """The rows of a player's table: network, way, and whether they fit."""
    lines = PAGE.split(f"\n| {player} |")[1].split("\n\n")[0].splitlines()
    ways = [word.strip() for word in lines[0].split("|") if word.strip()]
    for line in lines[2:]:
        name, *fits = [word.strip(" `") for word in line.strip("|").split("|")]
        assert set(fits) <= {"yes", "no"} and len(fits) == len(ways)
        yield from ((name, way, fit == "yes") for way, fit in zip(ways, fits, strict=True))


CELLS = [(p, *cell) for p in ("generator", "discriminator") for cell in table(p)]


def parts(folder, **changed):
    """A small run of these parts, with sizes that suit them."""
    own = {key: value for key, value in SMALL.items() if not key.endswith("_layers")}
    own |= {"image_size": 32, "batch_size": 8, "max_batches_per_epoch": 3, "lr": 0.01, "generator": "fc"}
    own |= {"discriminator": "fc", "generator_channels": 8, "discriminator_channels": 8}
    if changed.get("generator") == "u-gen":
        pair_pictures(folder / "pairs", count=16, classes=2)
        own |= TRANSLATES | {"data_dir": str(folder / "pairs"), "batch_size": 8, "discriminator": "fc"}
    if changed.get("generator") == "msg":
        own |= {"discriminator": "msg"}
    if changed.get("discriminator") == "patch-gan":
        own |= {"discriminator_receptive_field": 16}
    return assemble(make_options(**own | changed))


@pytest.mark.parametrize("player, name, way, fits", CELLS)
def test_a_cell_of_the_table(own_folder, player, name, way, fits):
    other = "discriminator" if player == "generator" else "generator"
    chosen = {player: name, f"{player}_conditional": way, f"{other}_conditional": "concat"}
    if not fits:
        with pytest.raises(
            OptionError, match=rf"`{name}` has none.* Choose `concat`, or one of the {player}s "
        ):
            parts(own_folder, **chosen)
        return
    built = parts(own_folder, **chosen)
    for _ in range(2):
        losses = built.game.run_epoch(built.data, built.noise)
    assert all(torch.tensor(value).isfinite() for value in losses.values())
    assert label_changes(built) > 1e-3
    if way == "auxiliary":  # whose logit knows nothing of the label, but it names classes, and learns to
        head = built.game.discriminator.network.judge.classify
        assert all(weight.grad is not None and weight.grad.any() for weight in head.parameters())
    else:
        assert judgement_changes(built) > 0


def label_changes(built):
    """How much another label changes the pictures of one and the same noise."""
    generator = built.game.generator.network.eval()
    with torch.no_grad():
        one, other = (generator(noise(built), zeros() + label) for label in (0, 1))
        one, other = (images[-1] if isinstance(images, list) else images for images in (one, other))
        return (one - other).abs().max().item()


def judgement_changes(built):
    """How much another label changes the judgement of one and the same picture."""
    built.game.discriminator.network.eval()
    with torch.no_grad():
        batch = built.data.next()
        seen = [batch.image] if batch.target is None else [batch.image, batch.target]
        image = built.game.encode(torch.cat(seen, 1))
        said = [built.game.critic(image, torch.full((len(image),), label)) for label in (0, 1)]
    return (said[0] - said[1]).abs().max().item()


def zeros():
    return torch.zeros(4, dtype=torch.int64)


def noise(built):
    """What the generator starts from: noise, or images where it translates."""
    if built.game.translates:
        return built.game.encode(built.data.examples.image[:4])
    return built.noise.sample(4, 0)


def test_the_tables_name_every_network():
    for player in ("generator", "discriminator"):
        assert {name for p, name, *_ in CELLS if p == player} == set(Registry.keys(player))


@pytest.mark.parametrize("name", ["fc", "conv", "good", "cgan", "sn-resnet"])
def test_none_keeps_labels_away(own_folder, name):
    built = parts(own_folder, generator=name, discriminator=name, conditional="none")
    built.game.run_epoch(built.data, built.noise)
    assert label_changes(built) == judgement_changes(built) == 0


@pytest.mark.parametrize("way, sides", [
    ("concat", ("ConcatLabels", "plain")), ("batch-norm", ("NormalizeByLabels", "plain")),
    ("projection", ("ConcatLabels", "embedding")), ("auxiliary", ("ConcatLabels", "classify")),
])  # fmt: skip
def test_one_word_for_both_networks(own_folder, way, sides):
    built = parts(own_folder, generator="conv", discriminator="conv", conditional=way)
    assert type(built.game.generator.network).__name__ == sides[0]
    weights = [key for key, _ in built.game.discriminator.network.named_parameters()]
    assert type(built.game.discriminator.network).__name__ == (
        "ConcatLabels" if sides[1] == "plain" else "ConvDiscriminator"
    )
    assert any(sides[1] in key for key in weights) != (sides[1] == "plain")


def test_the_specific_beats_the_general(own_folder):
    changed = {"conditional": "concat", "generator_conditional": "batch-norm"}
    built = parts(own_folder, generator="conv", discriminator="conv", **changed)
    assert type(built.game.generator.network).__name__ == "NormalizeByLabels"


def test_data_without_classes_are_refused(refused, tiny):
    from small import pictures

    pictures(Path("flat"), classes=1)
    words = tiny.replace("--dataset digits", "--data-dir flat")
    assert refused(f"{words} --conditional concat") == (
        "`--conditional concat` needs data with two classes at least; these have none, or one alone. Leave it out, or"
        " give labelled data."
    )
    assert "`--generator-conditional concat`" in refused(f"{words} --generator-conditional concat")


def test_a_run_with_labels_is_sampled_by_class(ganzo, tiny):
    assert ganzo(f"{tiny} --conditional concat --experiment t").status == 0
    said = ganzo("sample t --label 3,7 --seed 1")
    assert said.status == 0 and Path(said.out.strip()).is_file()
    assert ganzo(f"{tiny} --conditional concat --experiment t --restore --epochs 2").status == 0


def test_a_class_of_a_run_without_labels_is_refused(refused, ganzo, tiny):
    assert ganzo(f"{tiny} --experiment t").status == 0
    assert "train with `--conditional concat`" in refused("sample t --label 3")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["concat", "batch-norm", "projection", "auxiliary"])
def test_the_asked_class_is_learnt(own_folder, way):
    """After some seconds the judge of the embedded digits reads most samples as the class that was asked for."""
    from ganzo.metric import Metric

    options = make_options(**{
        **SMALL, "image_size": 16, "generator": "conv", "discriminator": "conv", "state_size": 32, "batch_size": 64,
        "discriminator_channels": 16, "conditional": way, "lr": 2e-3, "beta1": 0.5, "max_batches_per_epoch": None,
        "generator_layers": None, "discriminator_layers": None, "discriminator_spectral_norm": True,
        "metrics": "judge", "metrics_every": 1, "metrics_samples": 500,
    })  # fmt: skip
    built = assemble(options)
    for _ in range(40):
        built.game.run_epoch(built.data, built.noise)
    scores = Metric.from_options(options).measure(1, built.data, built.noise, built.game.sampler)
    assert scores["judge"] > 0.6, scores  # by chance 0.1
