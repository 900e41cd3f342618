"""The roles that parts play in a run: which room they come from, how they are chosen, how their options are spelled.

This page imports no room, so that a command line can be read before torch is loaded.
"""

import dataclasses

OWN_NAME = "*"


@dataclasses.dataclass(frozen=True)
class Role:
    """One place in a run that a component fills.

    Args:
        key: the option that selects: `--loss hinge` on the command line, `"loss": "hinge"` in a file
        namespace: the registry's namespace, and the name of the room
        default: what the room's own default is; none where the role may stay empty
        help: what the role is, for the help page
        prefix: what goes before the options of its component (`generator` gives `--generator-layers`; OWN_NAME gives
            `--r1-weight`)
        several: whether any number of components may be chosen
        shorthand: whether an option is also known without its prefix (`--lr` stands for both players)
    """

    key: str
    namespace: str
    default: str | None
    help: str
    prefix: str = ""
    several: bool = False
    shorthand: bool = False

    def option(self, component: str, parameter: str) -> str:
        """The option that a component's parameter is: `generator_layers`, `r1_weight`, `margin`."""
        own = component.rpartition(":")[2].replace("-", "_")
        prefix = own if self.prefix == OWN_NAME else self.prefix
        return f"{prefix}_{parameter}" if prefix else parameter


ROLES = {
    role.key: role
    for role in (
        Role("data_format", "data", "single-image", "what an example of the data is"),
        Role("dataset", "dataset", "folder", "where the data come from"),
        Role("encoder", "encoder", "pixels", "from stored values to what the players see"),
        Role("noise", "noise", "gaussian", "what the generator starts from"),
        Role("generator", "generator", "fc", "noise to images", prefix="generator"),
        Role(
            "augment",
            "augment",
            None,
            "changes to real and fake images before they are judged",
            OWN_NAME,
            several=True,
        ),
        Role("discriminator", "discriminator", "fc", "images to logits", prefix="discriminator"),
        Role("loss", "loss", "gan", "logits to a scalar for each player"),
        Role("regularizer", "regularizer", None, "penalties beside the loss", OWN_NAME, several=True),
        Role(
            "generator_optimizer",
            "optimizer",
            "adam",
            "what moves the generator",
            "generator",
            shorthand=True,
        ),
        Role(
            "discriminator_optimizer",
            "optimizer",
            "adam",
            "what moves the discriminator",
            "discriminator",
            shorthand=True,
        ),
        Role(
            "generator_hook",
            "hook",
            None,
            "what happens to the generator after it moved",
            OWN_NAME,
            several=True,
        ),
        Role(
            "discriminator_hook",
            "hook",
            None,
            "what happens to the discriminator after it moved",
            OWN_NAME,
            several=True,
        ),
        Role("game", "game", "standard", "who moves when"),
        Role("metrics", "metric", None, "numbers about samples", OWN_NAME, several=True),
        Role("evaluation_criterion", "evaluation", "latest", "when the model has improved"),
        Role("log", "statistics", "console", "where numbers go", several=True),
        Role("save_images_as", "snapshot", "folder", "where samples go", several=True),
    )
}

# What a part must offer to play its role, whatever its bases.
NEEDED = {
    "data": ("next", "reset"),
    "noise": ("next", "sample", "size"),
    "generator": ("to", "parameters"),
    "discriminator": ("to", "parameters"),
    "loss": ("for_generator", "for_discriminator"),
}

# What one part decides and every other is handed; only the owner's parameter of that name makes an option.
FACTS = {
    "image_size": "data",
    "image_colors": "data",
    "batch_size": "data",
    "classes": "data",
    "class_names": "data",
    "state_size": "noise",
    "device": "common",
    "precision": "common",
    "compile": "common",
    "cuda_graphs": "common",
    "seed": "common",
    "start_epoch": "common",
    "folder": "train",  # where a part may write what people look at
    "input_colors": "data",  # channels of what a translation starts from
    "uses_labels": "train",  # whether labels change what the generator makes
    "translates": "train",  # whether the game turns images into images
    "head": "train",  # what a discriminator's last layer does with labels
    "random": "train",  # the run's torch.Generator
    # parts, which are handed over too
    **dict.fromkeys(
        ("hooks", "optimizers", "regularizers", "encoder", "critic", "others", "measured"), "train"
    ),
}


def side_of(player: str) -> str:
    """Which side a player is on: `discriminator_2` moves as the discriminator does, any other name as the generator."""
    return "discriminator" if player.startswith("discriminator") else "generator"
