"""The results as one page that needs nothing else: no network, and no script to be read."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from verify import __version__
from verify.report import mathml, svg, wording
from verify.verdict import Report, Verdict

ROWS = 25
LONGEST = 100  # characters of a derivative in a table


def page(
    reports: Sequence[Report],
    *,
    seed: int = 0,
    seconds: float = 0.0,
    errors: Sequence[dict[str, Any]] = (),
    ignored: Mapping[str, str] | None = None,
    retried: Sequence[str] = (),
) -> str:
    """The whole page: summary, controls, a card for each result, what was not checked and why."""
    cards = [_card(report, place) for place, report in enumerate(reports)]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>gradproof: {escape(_title(reports, errors))}</title>
<style>{_asset("page.css")}</style>
</head>
<body class="gradproof">
<h1>gradproof: {escape(_title(reports, errors))}</h1>
<p class="meta">{escape(wording.counts(list(reports)))} in {seconds:.1f} s, seed {seed},
gradproof {__version__}</p>
{_errors(errors)}{_controls(reports)}
<main id="results">
{"".join(cards)}</main>
{_aside(ignored or {}, retried)}<script>{_asset("page.js")}</script>
</body>
</html>
"""


def card(report: Report) -> str:
    """One result, for a notebook."""
    return f'<div class="gradproof"><style>{_asset("page.css")}</style>{_card(report, 0)}</div>'


@functools.cache
def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _title(reports: Sequence[Report], errors: Sequence[object]) -> str:
    wrong = sum(not r.ok and r.verdict is not Verdict.UNDECIDED for r in reports)
    if wrong:
        return f"{wrong} of {len(reports)} gradients are wrong"
    if errors:
        return "a target could not be loaded"
    undecided = sum(r.verdict is Verdict.UNDECIDED for r in reports)
    if undecided:
        return f"{undecided} of {len(reports)} gradients are undecided"
    return f"all {len(reports)} gradients pass"


def _errors(errors: Sequence[dict[str, Any]]) -> str:
    lines = []
    for error in errors:
        place = error.get("location")
        where = f" ({place['file']}:{place['line']})" if place else ""
        lines.append(
            f'<p class="error"><b class="verdict">error</b> '
            f"{escape(error['target'])}: {escape(error['message'] + where)}</p>\n"
        )
    return "".join(lines)


def _aside(ignored: Mapping[str, str], retried: Sequence[str]) -> str:
    """What the configuration says not to check, and what was checked twice."""
    lines = [f"{name}: {reason}" for name, reason in ignored.items()]
    return "".join(
        f"<section><h2>{title}</h2><ul>{''.join(f'<li>{escape(x)}</li>' for x in items)}</ul>"
        "</section>\n"
        for title, items in (
            ("ignored", lines),
            ("checked again, since the worker that ran it was lost", retried),
        )
        if items
    )


def _controls(reports: Sequence[Report]) -> str:
    boxes = []
    for verdict in Verdict:
        count = sum(r.verdict is verdict for r in reports)
        if count:
            boxes.append(
                f'<label class="{verdict.value}" title="{escape(verdict.meaning)}">'
                f'<input type="checkbox" name="verdict" value="{verdict.value}" checked>'
                f'<span class="verdict">{count} {verdict.value}</span></label>'
            )
    return f"""<form class="controls" hidden onsubmit="return false">
{"".join(boxes)}
<label>order <select id="sort">
<option value="place">of the source</option><option value="rank">worst verdict first</option>
<option value="ulps">most digits lost first</option>
<option value="seconds">slowest first</option></select></label>
<input type="search" id="search" placeholder="name" aria-label="part of a name">
<output id="shown" role="status"></output>
</form>"""


def _card(report: Report, place: int) -> str:
    rank = list(Verdict).index(report.verdict)
    brief = wording.power(report) if report.ok else wording.headline(report)
    scope = f", {report.scope}" if report.ok and report.scope else ""
    body = "".join(
        [
            _facts(report),
            _entries(report),
            _around(report),
            _cells(report),
            _lost_digits(report),
            _evidence(report),
            _code("a backward that is right", report.repair),
            _code("run this to see it", report.snippet),
            _code("printed by the code under test", report.printed),
            _list("not covered", report.not_covered),
            _list("notes", report.notes),
        ]
    )
    return (
        f'<details class="card {report.verdict.value}" data-verdict="{report.verdict.value}" '
        f'data-name="{escape(report.name)}" data-place="{place}" data-rank="{rank}" '
        f'data-ulps="{_sortable(report.max_ulp)}" data-seconds="{report.seconds:.4f}"'
        f"{'' if report.ok else ' open'}>"
        f'<summary><span class="verdict">{report.verdict.value}</span>'
        f'<span class="name">{escape(report.name)}</span>'
        f'<span class="brief">{escape(brief + scope)}</span></summary>'
        f'<div class="body">{body}</div></details>\n'
    )


def _sortable(ulps: float | None) -> str:
    if ulps is None:
        return "-1"
    ulps = float(ulps)
    return f"{ulps:g}" if ulps == ulps and ulps < 1e300 else "1e300"


def _facts(report: Report) -> str:
    facts: list[tuple[str, str, str]] = []

    def add(label: str, value: object, kind: str = "") -> None:
        if value not in (None, ""):
            facts.append((label, escape(str(value)), kind))

    add("means", report.verdict.meaning)
    if not report.ok:
        add("where", wording.where(report))
        add("again", wording.again(report))
    if (values := wording.values(report)) is not None:
        add("given", values[0])
        add("expected", values[1])
    if len(wording.wrong_entries(report.entries)) < 2:  # else the table has it
        add("error", wording.error(report))
    if report.formula:
        facts.append(("formula", mathml.formula(report.formula), "mathematics"))
    several = {region.derivative for region in report.regions if region.derivative}
    if report.derivative and not (report.ok and len(several) > 1):  # then the table has them
        facts.append(("derivative", mathml.formula(report.derivative), "mathematics"))
    add("in full", wording.derivation(report))
    add("mistake", report.diagnosis)
    add("cell", ", ".join(report.conditions))
    if report.ok:
        add("holds", report.scope)
    add("worst", report.worst)
    add("source", wording.place(report))
    add("time", wording.time_taken(report))
    rows = (
        f'<dt>{label}</dt><dd class="{kind}">{value}</dd>' if kind
        else f"<dt>{label}</dt><dd>{value}</dd>"
        for label, value, kind in facts
    )  # fmt: skip
    return f"<dl>{''.join(rows)}</dl>"


def _entries(report: Report) -> str:
    worst = wording.wrong_entries(report.entries)
    if len(worst) < 2:
        return ""
    head = "".join(
        f"<th>{title}</th>"
        for title in ("entry", "given", "expected", "abs error", "rel error", "ulps")
    )
    rows = []
    for place, entry in enumerate(worst[:ROWS]):
        numbers = (
            wording.number(entry.given),
            wording.number(entry.expected),
            wording.number(entry.abs_error, 3),
            wording.number(entry.rel_error, 3),
            wording.number(entry.ulps, 3),
        )
        name = escape(wording.entry_name(entry.argument, tuple(entry.index)))
        cells = "".join(f'<td class="num">{escape(n)}</td>' for n in numbers)
        mark = ' class="worst"' if place == 0 else ""
        rows.append(f"<tr{mark}><td>{name}</td>{cells}</tr>")
    more = len(worst) - ROWS
    rest = f"<p>and {more} more</p>" if more > 0 else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    table = f'<div class="wide"><table class="entries">{body}</table></div>{rest}'
    return table + _heat_maps(report, {entry.argument for entry in worst})


def _heat_maps(report: Report, wrong: set[str]) -> str:
    """Where in each matrix the gradient is wrong."""
    pictures = []
    for name in dict.fromkeys(entry.argument for entry in report.entries):
        picture = svg.heat_map([e for e in report.entries if e.argument == name])
        if name in wrong and picture:
            title = f"relative error in the gradient of {escape(name)}"
            pictures.append(f'<h3>{title}</h3><div class="wide">{picture}</div>')
    key = '<p class="key depth"><i></i> right <i></i> wrong by 100 % or more</p>'
    return "".join(pictures) + key if pictures else ""


def _lost_digits(report: Report) -> str:
    picture = svg.lost_digits(report.samples)
    if not picture:
        return ""
    key = '<p class="key"><span class="dots">lost by backward</span> '
    if any(limit is not None for _, _, limit in report.samples):
        key += '<span class="limit">what the rounding of the input explains</span>'
    return _section("lost digits", f"{key}</p>{picture}")


def _around(report: Report) -> str:
    if report.cut is None:
        return ""
    found = report.counterexample
    expected = None if found is None or isinstance(found.expected, complex) else found.expected
    picture = svg.around(report.cut, None if expected is None else float(expected))
    if not picture:
        return ""
    key = (
        '<p class="key"><span class="given">given by backward</span> '
        '<span class="slope">differences of forward</span>'
        + (' <span class="boundary">another cell</span>' if report.cut.boundaries else "")
        + "</p>"
    )
    return _section("around the counterexample", key + picture)


def _cells(report: Report) -> str:
    """The cells with what holds on each, where there are several."""
    if len(report.regions) < 2:
        return ""
    rows = []
    known = any(0 < len(region.derivative or "") <= LONGEST for region in report.regions)
    for region in report.regions:
        where = ", ".join(region.conditions) or "everywhere"
        where += f" ({region.count} cells)" if region.count > 1 else ""
        derivative = region.derivative or ""
        # a longer one stands above, if anywhere
        derivative = mathml.formula(derivative) if 0 < len(derivative) <= LONGEST else ""
        status = {"proved": "pass", "wrong": "fail"}.get(region.status, "skip")
        mark = ' class="worst"' if region.here else ""
        rows.append(
            f"<tr{mark}><td>{escape(where)}</td>"
            + (f'<td class="mathematics">{derivative}</td>' if known else "")
            + f'<td class="{status}">{escape(region.status)}</td></tr>'
        )
    more = report.cells.get("explored", 0) - sum(region.count for region in report.regions)
    rest = f"<p>and {more} more, at this and at other shapes</p>" if more > 0 else ""
    head = "<thead><tr><th>where</th>"
    head += f"{'<th>derivative</th>' if known else ''}<th></th></tr></thead>"
    table = f'<table class="cells">{head}<tbody>{"".join(rows)}</tbody></table>{rest}'
    return _section("cells", f'<div class="wide">{table}</div>')


def _evidence(report: Report) -> str:
    if not report.findings:
        return ""
    rows = "".join(
        f'<tr><td class="{f.status}">{f.status}</td><td>{f.evidence.replace("_", " ")}</td>'
        f"<td>{escape(f.message)}</td></tr>"
        for f in report.findings
    )
    return _section("evidence", f"<table><tbody>{rows}</tbody></table>")


def _section(title: str, body: str) -> str:
    return f"<h3>{title}</h3>{body}" if body else ""


def _code(title: str, text: str | None) -> str:
    return _section(title, f"<pre>{escape(text.strip())}</pre>" if text else "")


def _list(title: str, items: Sequence[str]) -> str:
    rows = "".join(f"<li>{escape(str(item))}</li>" for item in items)
    return _section(title, f"<ul>{rows}</ul>" if rows else "")
