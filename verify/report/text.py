"""The report for a terminal and for a log file: 80 columns, readable without colour."""

from __future__ import annotations

import io
import textwrap

from rich.console import Console
from rich.control import strip_control_codes
from rich.table import Table
from rich.text import Text

from verify.report import wording
from verify.verdict import Report, Verdict

WIDTH = 80
ROWS = 10  # of the failure table; how many more there are is said
STYLES = {
    Verdict.PROVED: "green",
    Verdict.VERIFIED: "cyan",
    Verdict.INACCURATE: "bold yellow",
    Verdict.REFUTED: "bold red",
    Verdict.UNDECIDED: "bold magenta",
}
EVIDENCE_STYLES = {"pass": "green", "fail": "red", "skip": "dim"}


def console(file=None, color: str = "auto", width: int | None = None) -> Console:
    """A console that prints what it is given: no markup, no emoji, no guessing of numbers.

    Parameters
    ----------
    file : file-like, optional
        Standard output if missing.
    color : {"auto", "always", "never"}
    width : int, optional
        The terminal's if missing, and 80 where there is none.
    """
    return Console(
        file=file,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal={"always": True, "never": False}.get(color),
        no_color=True if color == "never" else None,
        soft_wrap=False,
    )


def render(report: Report, *, verbose: bool = True, width: int = WIDTH) -> str:
    """The report as text without colour; what ``str(report)`` gives."""
    stream = io.StringIO()
    show(console(stream, color="never", width=width), report, verbose=verbose)
    return stream.getvalue().rstrip("\n")


def show(out: Console, report: Report, *, verbose: bool = False, notes: bool = False) -> None:
    """Print one result: a line where it passes, everything one needs to act where it does not.

    With `notes`, those on a pass are printed too.
    """
    if report.ok:
        out.print(_line(report, out.width), crop=False, overflow="ignore", no_wrap=True)
        if verbose:
            _show_pass_details(out, report)
        elif notes:
            for note in report.notes:
                _row(out, "note", note)
        return
    _show_failure(out, report, verbose=verbose)


def _clean(text: object) -> str:
    """Text of the user's code without control characters, which would break a log or a screen."""
    return strip_control_codes(str(text)).replace("\x1b", "")


def _line(report: Report, width: int) -> Text:
    """One line, in columns as far as they fit."""
    # a time below a second is noise here; -v and the files have it
    slow = f"{report.seconds:.1f} s" if report.seconds >= 1 else ""
    if report.cached:
        slow = wording.time_taken(report)
    facts = "".join(f"  {f}" for f in (wording.power(report), _scope(report), slow) if f)
    room = width - len(facts) - 11
    line = Text()
    line.append(f"{report.verdict.value:<10} ", style=STYLES[report.verdict])
    line.append(_clean(report.name).ljust(min(24, room)))
    line.append(facts, style="dim")
    return line


def _scope(report: Report) -> str:
    scope = (report.scope or "").removeprefix("at ")
    if scope.startswith("every size"):
        return "every size"
    if len(scope) <= 14 or scope.endswith(" examples"):
        return scope
    count = scope.count("; ") + 1  # between examples; within one there are commas
    return "1 example" if count == 1 else f"{count} examples"


def _show_pass_details(out: Console, report: Report) -> None:
    _row(out, "means", report.verdict.meaning)
    _row(out, "holds", report.scope)
    _row(out, "power", wording.power(report))
    _row(out, "formula", report.formula)
    _row(out, "derivative", report.derivative)
    _row(out, "worst", report.worst)
    _show_evidence(out, report)
    _show_margins(out, report)


def _show_failure(out: Console, report: Report, *, verbose: bool) -> None:
    # The first three lines: what is wrong, where, and how to see it again.
    head = Text()
    head.append(f"{report.verdict.value.upper()}  ", style=STYLES[report.verdict])
    head.append(f"{_clean(report.name)}: ", style="bold")
    head.append(_clean(wording.headline(report)))
    out.print(head, soft_wrap=True)
    long = wording.is_long(report)
    where, again = wording.where(report, short=long), wording.again(report)
    _row(out, "where", where, wrap=False)
    _row(out, "again", again, wrap=False)

    found = report.counterexample
    if found is not None:
        for name, value in wording.inputs(found) if long else ():
            first = name == next(iter(found.inputs))
            _array(out, "at" if first else "", name, value)
    if (values := wording.values(report)) is not None:
        _row(out, "given", values[0], style="red")
        _row(out, "expected", values[1], style="green")
        if len(wording.wrong_entries(report.entries)) < 2:  # else the table has it
            _row(out, "error", wording.error(report))
    _row(out, "derivative", report.derivative)
    _row(out, "in full", wording.derivation(report), wrap=False)
    if report.diagnosis and report.diagnosis.removesuffix(".") not in wording.headline(report):
        _row(out, "mistake", report.diagnosis, style="bold")
    if where != wording.place(report):
        _row(out, "source", wording.place(report), wrap=False)
    for number, condition in enumerate(report.conditions):
        _row(out, "cell" if number == 0 else "", condition)
    _row(out, "region", report.region)
    if report.cached:
        _row(out, "found", "by an earlier run: this is from the cache")
    _row(out, "worst", report.worst)
    _show_entries(out, report)
    if report.verdict is Verdict.UNDECIDED and report.reason:
        _row(out, "why", _after(report.reason, wording.headline(report)))
    _show_evidence(out, report, brief=not verbose)
    if verbose:
        _show_margins(out, report)
    if report.printed:
        _block(out, "printed by the code under test", report.printed)
    if report.repair:
        _block(out, "a backward that is right", report.repair, box=True)
    if report.snippet and report.snippet.strip() != again:
        _block(out, "run this to see it", report.snippet)
    out.print()


def _value(value: object) -> str:
    text = wording.listed(value)
    return text if len(text) <= 500 else wording.array(value)


def _array(out: Console, label: str, name: str, value: object) -> None:
    """``label     name = value``; a matrix that is too long for a line has a line for each row."""
    text = _value(value)
    if len(text) > out.width - 17 - len(name):
        text = wording.uniform(value) or text
    if len(text) > out.width - 17 - len(name) and text.startswith("[["):
        rows = text.replace("], [", "],\n[").split("\n")
        if all(len(row) <= 200 for row in rows):
            lead = " " * (len(name) + 4)
            for place, row in enumerate(rows):
                first = place == 0
                _row(
                    out, label if first else "", (f"{name} = " if first else lead) + row, wrap=False
                )
            return
    _row(out, label, f"{name} = {text}")


def _row(out: Console, label: str, value: object, *, style: str = "", wrap: bool = True) -> None:
    """``label     value``; prose is wrapped, what one copies or clicks is not."""
    if value is None or value == "":
        return
    text = _clean(value)
    lead = f"  {label:<10} "
    lines = (
        textwrap.wrap(text, max(out.width - len(lead), 20), break_long_words=False) or [""]
        if wrap
        else [text.replace("\n", " ")]
    )
    for count, line in enumerate(lines):
        row = Text()
        row.append(lead if count == 0 else " " * len(lead), style="dim")
        row.append(line, style=style)
        out.print(row, soft_wrap=True)


def _after(text: str, start: str) -> str:
    """What follows the sentence that has been said already."""
    return text.strip().removeprefix(start).lstrip(". \n")


def _show_entries(out: Console, report: Report) -> None:
    rows = wording.wrong_entries(report.entries)
    if len(rows) < (1 if report.counterexample is None else 2):
        return  # one entry has been shown already
    table = Table(box=None, padding=(0, 1), show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column("entry", no_wrap=True)
    for title in ("given", "expected", "abs error", "rel error", "ulps"):
        table.add_column(title, justify="right", no_wrap=True)
    for place, entry in enumerate(rows[:ROWS]):
        table.add_row(
            "  > " if place == 0 else "",
            Text(_clean(wording.entry_name(entry.argument, tuple(entry.index)))),
            wording.number(entry.given, 8),
            wording.number(entry.expected, 8),
            wording.number(entry.abs_error, 2),
            wording.number(entry.rel_error, 2),
            wording.number(entry.ulps, 2),
            style="bold" if place == 0 else "",
        )
    out.print(table)
    more, right = len(rows) - ROWS, len(report.entries) - len(rows)
    counts = [f"{more} more"] * (more > 0) + [f"{right} that are right"] * (right > 0)
    if counts:
        out.print(Text(f"    and {', '.join(counts)}", style="dim"))


def _show_evidence(out: Console, report: Report, *, brief: bool = False) -> None:
    said = f"{wording.headline(report)}\n{report.diagnosis}" if brief else ""
    compared = wording.values(report) is not None
    for finding in report.findings:
        if brief and (finding.status != "fail" or finding.message.removesuffix(".") in said):
            continue
        if brief and finding.message.startswith("differs from the derivative") and compared:
            continue  # both values have been shown
        lead = f"  {finding.status:<4}  {finding.evidence:<13}"
        lines = textwrap.wrap(_clean(finding.message), max(out.width - len(lead), 20)) or [""]
        row = Text()
        row.append(lead, style=EVIDENCE_STYLES[finding.status])
        row.append(lines[0])
        out.print(row, soft_wrap=True)
        for line in lines[1:]:
            out.print(Text(" " * len(lead) + line), soft_wrap=True)


def _show_margins(out: Console, report: Report) -> None:
    for label, items in (("not covered", report.not_covered), ("note", report.notes)):
        for item in items:
            _row(out, label, item)


def _block(out: Console, title: str, text: str, *, box: bool = False) -> None:
    """Code or output below a title; a box has no sides, so that what is in it can be copied."""
    lines = _clean_block(text).splitlines()
    rule = "-" if out.options.ascii_only else "─"
    wide = min(max([len(title) + 6, *(len(line) + 4 for line in lines)]), out.width - 4)
    head = f"  {rule * 2} {title} ".ljust(wide + 2, rule) if box else f"  {title}:"
    out.print(Text(head, style="dim"))
    for line in lines:
        out.print(Text(f"    {line}".rstrip()), soft_wrap=True)
    if box:
        out.print(Text(f"  {rule * wide}", style="dim"))


def _clean_block(text: str) -> str:
    return "\n".join(_clean(line) for line in textwrap.dedent(text).strip("\n").splitlines())


def show_summary(out: Console, reports: list[Report], seconds: float) -> None:
    """Print the last line: how many of each, and how long it took."""
    bad = any(not r.ok for r in reports)
    text = f"{wording.counts(reports)} in {seconds:.1f} s"
    out.print(Text(text, style="bold red" if bad else "bold green"), soft_wrap=True)
