"""Pictures of how a run went."""

import math
from pathlib import Path

from ganzo.checkpoint import whole
from ganzo.nn.record import LOSSES, scores_of


def draw_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw the losses of a run, and each of its scores below, over the epochs; an empty history draws nothing."""
    if not history:
        return
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib.figure import Figure

    scores = list(dict.fromkeys(name for line in history for name in scores_of(line)))
    figure = Figure(figsize=(8, 3 * (1 + len(scores))), layout="constrained")
    axes = figure.subplots(1 + len(scores), 1, squeeze=False)[:, 0]
    for axis, names in zip(axes, [LOSSES, *([name] for name in scores)], strict=True):
        for name in names:
            points = [
                (line["epoch"], line[name]) for line in history if math.isfinite(line.get(name, math.nan))
            ]
            if points:
                axis.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 60 else None)
        axis.set_xlabel("epoch")
        axis.set_ylabel("loss" if names is LOSSES else names[0])
        axis.grid(alpha=0.3)
        if names is LOSSES:
            axis.legend()
    with whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
