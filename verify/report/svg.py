"""Pictures for the page: small, exact, and without a plotting library."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

from verify.report import wording
from verify.verdict import Cut, Entry

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 20, 36
NAMED = 10  # dots that say their values
CELL = 22  # pixels of one entry in a heat map
MARGIN = 24  # for the indices of rows and columns
MOST_CELLS = 40  # rows or columns; a larger picture shows nothing that the table does not


def heat_map(entries: Sequence[Entry]) -> str:
    """Where in a matrix the gradient is wrong: one square for each entry, darker for worse.

    Returns an empty string where there is no matrix to show: the entries are of one argument and
    have two indices.
    """
    if len(entries) < 2 or len({e.argument for e in entries}) != 1:
        return ""
    if any(len(e.index) != 2 for e in entries):
        return ""
    rows = max(e.index[0] for e in entries) + 1
    columns = max(e.index[1] for e in entries) + 1
    if rows > MOST_CELLS or columns > MOST_CELLS:
        return ""
    width, height = MARGIN + columns * CELL + 2, MARGIN + rows * CELL + 2
    name = html.escape(entries[0].argument)
    parts = [
        f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>relative error of the gradient of {name}, entry by entry</title>",
        f'<rect class="axis" x="{MARGIN + 0.5}" y="{MARGIN + 0.5}" width="{width - MARGIN - 1}" '
        f'height="{height - MARGIN - 1}" fill="none"/>',
    ]
    for column in range(0, columns, 1 + columns // 10):
        place = MARGIN + 1 + (column + 0.5) * CELL
        parts.append(f'<text x="{place}" y="{MARGIN - 6}" text-anchor="middle">{column}</text>')
    for row in range(0, rows, 1 + rows // 10):
        place = MARGIN + 1 + (row + 0.5) * CELL + 4
        parts.append(f'<text x="{MARGIN - 6}" y="{place}" text-anchor="end">{row}</text>')
    for entry in entries:
        row, column = entry.index
        label = f"{wording.entry_name(entry.argument, entry.index)}: "
        label += f"given {wording.number(entry.given, 6)}, expected "
        label += wording.number(entry.expected, 6)
        parts.append(
            f'<rect class="cell" x="{MARGIN + column * CELL + 1}" y="{MARGIN + row * CELL + 1}" '
            f'width="{CELL}" height="{CELL}" '
            f'fill="var(--refuted)" fill-opacity="{_depth(entry.rel_error):.2f}">'
            f"<title>{html.escape(label)}</title></rect>"
        )
    return "".join([*parts, "</svg>"])


def _depth(error: float) -> float:
    """From 0 for a relative error of 1e-16 to 1 for one of 1 or more."""
    if math.isnan(error):
        return 1.0
    if error <= 0:
        return 0.0
    return min(1.0, max(0.05, 1 + math.log10(error) / 16))


def lost_digits(samples: Sequence[tuple[float, float, float | None]]) -> str:
    """The error of backward over the magnitude of the input, both on logarithmic axes.

    Parameters
    ----------
    samples : sequence of (magnitude, ulps, limit)
        The limit is what the conditioning of the derivative allows there, if known.
    """
    points = [(x, u, m) for x, u, m in samples if x > 0 and math.isfinite(x)]
    if len(points) < 2:
        return ""
    low = math.floor(math.log10(min(x for x, _, _ in points)))
    high = math.ceil(math.log10(max(x for x, _, _ in points)))
    high = max(high, low + 1)
    finite = [u for _, u, _ in points if math.isfinite(u)]
    limits = [m for _, _, m in points if m is not None and math.isfinite(m)]
    top = max(4, math.ceil(math.log2(max([1.0, *finite, *limits]))))

    def across(x: float) -> float:
        return LEFT + (math.log10(x) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def up(ulps: float) -> float:
        bits = top if not math.isfinite(ulps) else min(top, max(0.0, math.log2(max(ulps, 1.0))))
        return HEIGHT - BOTTOM - bits / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        _plot(HEIGHT),
        "<title>units in the last place lost, over the magnitude of the input</title>",
        *_axes(low, high, top, across, up),
    ]
    if len(limits) > 1:
        highest: dict[int, float] = {}  # at a magnitude: positive and negative inputs are two
        for x, _, m in points:
            if m is not None and math.isfinite(m):
                highest[round(across(x))] = max(m, highest.get(round(across(x)), 0.0))
        line = " ".join(f"{x},{up(m):.1f}" for x, m in sorted(highest.items()))
        parts.append(f'<polyline class="limit" points="{line}"/>')
    # All dots are one path, or a page of 200 Functions would weigh megabytes; the worst of them
    # say their values when they are pointed at.
    dots = "".join(sorted({f"M{across(x):.0f} {up(u):.0f}h0" for x, u, _ in points}))
    parts.append(f'<path class="dots" d="{dots}"/>')
    worst = sorted(points, key=lambda p: math.inf if math.isnan(p[1]) else p[1], reverse=True)
    for x, ulps, _ in worst[:NAMED]:
        label = f"|x| = {wording.number(x, 6)}: {wording.number(ulps, 3)} ulps"
        parts.append(
            f'<circle class="dot" cx="{across(x):.0f}" cy="{up(ulps):.0f}" r="3">'
            f"<title>{html.escape(label)}</title></circle>"
        )
    return "".join([*parts, "</svg>"])


def around(cut: Cut | None, expected: float | None = None) -> str:
    """Forward above, its slope and what backward gives below, around a counterexample.

    Boundaries of cells are lines through both; the counterexample is marked, with the right value
    where it is known.
    """
    if cut is None or len(cut.rows) < 3:
        return ""
    xs = [row[0] for row in cut.rows]
    low, high = min(xs), max(xs)
    if not low < high:
        return ""

    def across(x: float) -> float:
        return LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    marks = [expected] if expected is not None and math.isfinite(expected) else []
    upper = _Panel(TOP, 110, [row[1] for row in cut.rows])
    lower = _Panel(TOP + 110 + 24, 150, [v for row in cut.rows for v in row[2:]] + marks)
    base = lower.top + lower.height
    height = base + 48
    name = html.escape(cut.name)
    parts = [
        _plot(height),
        f"<title>forward, and its gradient in {name}, around the counterexample</title>",
    ]
    for panel, title in ((upper, "forward"), (lower, "gradient")):
        parts.append(
            f'<path class="axis" fill="none" d="M{LEFT} {panel.top}v{panel.height}'
            f'H{WIDTH - RIGHT}"/><text x="{WIDTH - RIGHT}" y="{panel.top - 6}" '
            f'text-anchor="end">{title}</text>'
        )
        for value in (panel.low, panel.high):
            parts.append(
                f'<text x="{LEFT - 6}" y="{panel.up(value) + 4:.1f}" text-anchor="end">'
                f"{wording.number(panel.label(value), 3)}</text>"
            )
    for x, text in cut.boundaries:
        place = across(x)
        label = html.escape(f"another cell from {cut.name} = {wording.number(x, 6)}: {text}")
        parts.append(
            f'<path class="boundary" d="M{place:.1f} {TOP}V{base}"><title>{label}</title></path>'
        )
    parts.append(_curve("forward", xs, [row[1] for row in cut.rows], across, upper))
    parts.append(_curve("given", xs, [row[2] for row in cut.rows], across, lower))
    parts.append(_curve("slope", xs, [row[3] for row in cut.rows], across, lower))
    marked = ((_at(cut, 1), "forward"), (_at(cut, 2), "given"), (expected, "slope"))
    for mark, kind in marked:
        if mark is not None and math.isfinite(mark):
            panel = upper if kind == "forward" else lower
            text = {"forward": "forward", "given": "given", "slope": "expected"}[kind]
            parts.append(
                f'<circle class="mark {kind}" cx="{across(cut.at):.1f}" cy="{panel.up(mark):.1f}" '
                f'r="4"><title>{text} {wording.number(mark, 6)}</title></circle>'
            )
    for x, anchor in ((low, "start"), (cut.at, "middle"), (high, "end")):
        parts.append(
            f'<text x="{across(x):.1f}" y="{base + 15}" text-anchor="{anchor}">'
            f"{wording.number(x, 4)}</text>"
        )
    parts.append(
        f'<text x="{(LEFT + WIDTH) / 2}" y="{base + 34}" text-anchor="middle">{name}</text>'
    )
    return "".join([*parts, "</svg>"])


def _plot(height: int) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg class="plot" role="img" {size}>'


class _Panel:
    """One of the plots that share an axis: which values it shows, and where they lie."""

    def __init__(self, top: int, height: int, values: Sequence[float]) -> None:
        self.top, self.height = top, height
        finite = sorted(v for v in values if math.isfinite(v) and abs(v) < 1e100)
        low, high = (finite[0], finite[-1]) if finite else (0.0, 1.0)
        if finite:
            # A pole in the window must not flatten the rest.
            inner = finite[len(finite) // 20 : len(finite) - len(finite) // 20]
            reach = 3 * (inner[-1] - inner[0])
            low, high = max(low, inner[0] - reach), min(high, inner[-1] + reach)
        if not low < high:
            low, high = low - 1, high + 1
        self.low, self.high = low, high

    def label(self, value: float) -> float:
        """What stands beside a mark: zero for what is zero but for rounding."""
        return 0.0 if abs(value) < 1e-6 * (self.high - self.low) else value

    def up(self, value: float) -> float:
        """Its height in the picture; what lies outside is drawn at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - share)


def _curve(
    kind: str,
    xs: Sequence[float],
    values: Sequence[float],
    across: Callable[[float], float],
    panel: _Panel,
) -> str:
    """A line through the values; it is interrupted where there is none."""
    steps, pen = [], "M"
    for x, value in zip(xs, values, strict=True):
        if not math.isfinite(value) or abs(value) >= 1e100:
            pen = "M"
            continue
        steps.append(f"{pen}{across(x):.1f} {panel.up(value):.1f}")
        pen = "L"
    return f'<path class="curve {kind}" d="{"".join(steps)}"/>' if steps else ""


def _at(cut: Cut, column: int) -> float | None:
    return next((row[column] for row in cut.rows if row[0] == cut.at), None)


def _axes(low: int, high: int, top: int, across, up) -> list[str]:
    base = HEIGHT - BOTTOM
    parts = [
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}"/>',
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 4}" text-anchor="middle">|x|</text>',
        f'<text x="{LEFT}" y="{TOP - 6}">ulps</text>',
    ]
    step = max(1, (high - low) // 5)
    for power in range(low, high + 1, step):
        x = across(10.0**power)
        parts.append(f'<text x="{x:.1f}" y="{base + 15}" text-anchor="middle">1e{power}</text>')
    for bits in range(0, top + 1, max(1, top // 4)):
        y = up(2.0**bits)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">2^{bits}</text>')
    return parts
