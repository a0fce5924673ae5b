"""Pictures for the page: small, exact, and without a plotting library."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from verify.report import wording
from verify.verdict import Entry

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 20, 36
NAMED = 10  # dots that say their values
CELL = 22  # pixels of one entry in a heat map
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
    width, height = columns * CELL + 2, rows * CELL + 2
    name = html.escape(entries[0].argument)
    parts = [
        f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>relative error of the gradient of {name}, entry by entry</title>",
        f'<rect class="axis" x=".5" y=".5" width="{width - 1}" height="{height - 1}" fill="none"/>',
    ]
    for entry in entries:
        row, column = entry.index
        label = f"{wording.entry_name(entry.argument, entry.index)}: "
        label += f"given {wording.number(entry.given, 6)}, expected "
        label += wording.number(entry.expected, 6)
        parts.append(
            f'<rect class="cell" x="{column * CELL + 1}" y="{row * CELL + 1}" '
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
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        "<title>units in the last place lost, over the magnitude of the input</title>",
        *_axes(low, high, top, across, up),
    ]
    if len(limits) > 1:
        line = " ".join(f"{across(x):.1f},{up(m):.1f}" for x, _, m in sorted(points) if m)
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


def _axes(low: int, high: int, top: int, across, up) -> list[str]:
    base = HEIGHT - BOTTOM
    parts = [
        f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{base}H{WIDTH - RIGHT}"/>',
        f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 4}" text-anchor="middle">|x|</text>',
        f'<text x="4" y="{TOP - 6}">ulps</text>',
    ]
    step = max(1, (high - low) // 8)
    for power in range(low, high + 1, step):
        x = across(10.0**power)
        parts.append(f'<text x="{x:.1f}" y="{base + 15}" text-anchor="middle">1e{power}</text>')
    for bits in range(0, top + 1, max(1, top // 4)):
        y = up(2.0**bits)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">2^{bits}</text>')
    return parts
