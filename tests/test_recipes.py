"""Every recipe that ships plays two turns, and its losses move."""

import pytest

from ganzo.assemble import assemble
from ganzo.options import Completed, Layer
from ganzo.recipes import read_config, recipes

SMALL = {"seed": 1, "max_batches_per_epoch": 1, "batch_size": 8, "tune": False, "threads": 1}


@pytest.mark.parametrize("name", recipes())
def test_two_turns_of_a_recipe(name):
    completed = Completed([Layer("recipe", read_config(name)), Layer("test", SMALL)])
    assert not completed.warnings, completed.warnings  # a recipe names nothing that it does not use
    parts = assemble(completed.options)
    first, second = (parts.game.run_epoch(parts.data, parts.noise) for _ in range(2))
    assert first.keys() == second.keys() == {"generator", "discriminator"}
    assert all(first[player] != second[player] for player in first)


def test_a_recipe_says_what_it_is():
    import yaml

    for path in recipes().values():
        about = yaml.safe_load(path.read_text(encoding="utf-8"))["about"]
        assert {"shows", "paper", "differs"} <= set(about), path
