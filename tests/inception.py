"""A stand-in for the published weights of the Inception network: random ones in a file of the same form."""

import io

import pytest
import torch

from shim import make_importable


def random_weights(path):
    """Write random weights for torch-fidelity's network; skips where that package is missing."""
    make_importable()
    theirs = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")

    class Fresh(theirs.FeatureExtractorInceptionV3):
        def load_state_dict(self, state, *rest, **named):
            pass

    torch.manual_seed(0)
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.save(Fresh("fresh", ["2048"], feature_extractor_weights_path=empty).state_dict(), path)
    return path
