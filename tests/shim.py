"""torchvision where its compiled part does not fit torch's build: enough of it to be imported. For tests alone."""

import importlib.util
from pathlib import Path

import torch

KEPT = []  # a library goes when nobody holds it


def make_importable():
    """Load torchvision's operators, or declare the two that its import asks for; does nothing where it is missing."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or KEPT:
        return
    try:
        for path in Path(spec.origin).parent.glob("_C*.so"):
            torch.ops.load_library(str(path))
    except OSError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT.append(library)
