"""What looks at images for metrics, by name or by a path of the user's."""

from argparse import Namespace

from torch import nn

from ganzo.registry import OptionError, build


def loaded(name: str, told: Namespace) -> nn.Module:
    """An extractor, with weights that it can have before it sees data."""
    extractor = build("features", name, told)
    if not isinstance(extractor, nn.Module):
        raise OptionError(
            f"`--metrics-features {name}` must be a torch.nn.Module, from images B×C×H×W in [-1, 1] to features"
            f" B×F; got a {type(extractor).__name__}."
        )
    getattr(extractor, "load", lambda: None)()
    return extractor
