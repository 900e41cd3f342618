"""Line charts as inline SVG: sharp at any size, in the colours of the page, and readable without a script."""

import dataclasses
import math
from collections.abc import Sequence

from markupsafe import Markup, escape

Points = Sequence[tuple[int, float | None]]
WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 34
MOST = 400  # points of a line; more are thinned, which the eye does not see
MARKED = 60  # a line of fewer points shows each of them


@dataclasses.dataclass
class Line:
    """One line of a chart: a name, a colour (0 to 7), and its points; None breaks it."""

    name: str
    colour: int
    points: Points
    dashed: bool = False


def chart(
    title: str, lines: Sequence[Line], x_range: tuple[int, int] | None = None, orders: float = 100
) -> Markup:
    """Draw lines on one pair of axes; the vertical one is logarithmic where values differ by orders.

    Args:
        title: what is drawn, for those who cannot see it
        lines: what to draw; those without a finite point are left out
        x_range: the epochs of the horizontal axis; none for those of the lines
        orders: how many times the lowest value the highest one must be for a logarithmic axis
    """
    finite = [(x, y) for line in lines for x, y in line.points if y is not None]
    if not finite:
        return Markup("")
    first, last = x_range or (min(x for x, _ in finite), max(x for x, _ in finite))
    low, high = min(y for _, y in finite), max(y for _, y in finite)
    logarithmic = low > 0 and high / low > orders
    ticks = powers(low, high) if logarithmic else steps(low, high)
    low, high = min(low, ticks[0]), max(high, ticks[-1])

    def across(x: float) -> float:
        return LEFT + (x - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        part = math.log(y / low) / math.log(high / low) if logarithmic else (y - low) / (high - low)
        return TOP + (1 - part) * (HEIGHT - TOP - BOTTOM)

    parts = [
        axes([(up(tick), f"{tick:.4g}") for tick in ticks], [(across(x), x) for x in whole(first, last)])
    ]
    for line in lines:
        parts.append(drawn(line, across, up))
    said = "; ".join(described(line) for line in lines)
    scale = ", logarithmic scale" if logarithmic else ""
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" data-first="{first}"'
        ' data-last="{last}" data-left="{left}" data-right="{right}">{body}'
        '<line class="cursor" y1="{top}" y2="{bottom}" x1="-9" x2="-9"/></svg>'
    ).format(
        w=WIDTH, h=HEIGHT, label=f"{title} over the epochs{scale}: {said}", first=first, last=last, left=LEFT,
        right=WIDTH - RIGHT, body=Markup("").join(parts), top=TOP, bottom=HEIGHT - BOTTOM,
    )  # fmt: skip


def axes(ticks: Sequence[tuple[float, str]], epochs: Sequence[tuple[float, int]]) -> Markup:
    """Draw the grid with its numbers."""
    rows = [
        Markup('<path class="rule" d="M{} {:.1f}H{}"/><text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4, text
        )
        for y, text in ticks
    ]  # fmt: skip
    foot = HEIGHT - BOTTOM + 18
    columns = [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, foot, epoch)
        for x, epoch in epochs
    ]
    columns.append(Markup('<text x="{}" y="{}" text-anchor="end">epoch</text>').format(LEFT - 8, foot))
    return Markup("").join([*rows, *columns])


def drawn(line: Line, across, up) -> Markup:  # type: ignore[no-untyped-def]
    """Draw one line, and its points where they are few."""
    path, dots, pen = [], [], False
    shown = thinned(line.points)
    for x, y in shown:
        if y is None:
            pen = False
            continue
        path.append(f"{'L' if pen else 'M'}{across(x):.1f} {up(y):.1f}")
        pen = True
        if len(shown) <= MARKED:
            tip = escape(f"{line.name}, epoch {x}: {y:.4g}")
            dots.append(f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3"><title>{tip}</title></circle>')
    dash = " dashed" if line.dashed else ""
    return Markup(f'<g class="c{line.colour}{dash}"><path d="{"".join(path)}"/>{"".join(dots)}</g>')


def described(line: Line) -> str:
    """A line in words."""
    finite = [(x, y) for x, y in line.points if y is not None]
    if not finite:
        return f"{line.name} has no finite value"
    return f"{line.name} from {finite[0][1]:.4g} to {finite[-1][1]:.4g}"


def thinned(points: Points) -> Points:
    """Fewer points that look the same: the lowest and the highest of each stretch."""
    if len(points) <= MOST:
        return points
    size = math.ceil(len(points) / (MOST // 2))
    kept: list[tuple[int, float | None]] = []
    for start in range(0, len(points), size):
        stretch = [(x, y) for x, y in points[start : start + size] if y is not None]
        if stretch:
            kept += sorted({min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])})
        else:
            kept.append((points[start][0], None))
    return kept


def steps(low: float, high: float, parts: int = 4) -> list[float]:
    """Round numbers around a range, so many apart."""
    if high - low < 1e-12 * max(abs(high), 1e-12):
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (-1.0, 1.0)
    rough = (high - low) / parts
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * times for times in (1, 2, 2.5, 5, 10) if unit * times >= rough * 0.999)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) + 0.0 if abs(step) > 1e-9 else i * step for i in range(start, end + 1)]


def powers(low: float, high: float) -> list[float]:
    """Round numbers around a range, each a few times the one before."""
    start, end = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (end - start) // 5)
    found = [10.0**i * times for i in range(start, end + every, every) for times in (1, 2, 5)]
    found = found if end - start < 3 else [10.0**i for i in range(start, end + every, every)]
    first = max((i for i, tick in enumerate(found) if tick <= low * 1.0001), default=0)
    last = next((i for i, tick in enumerate(found) if tick >= high * 0.9999), len(found) - 1)
    return found[first : last + 1]


def whole(first: int, last: int) -> list[int]:
    """A few epochs to name below the axis."""
    if last - first < 2:
        return list(range(first, last + 1))
    wanted = [tick for tick in steps(first, last, 7) if tick == int(tick) and first <= tick <= last]
    return [int(tick) for tick in wanted] or [first, last]
