"""The sentences of a report, shared by every format: what is wrong, where, how to see it again."""

from __future__ import annotations

import math
import shlex
from typing import Any

from verify.verdict import Counterexample, Entry, Report, Verdict, plain

WIDEST_INLINE = 60  # longer values are described here and spelled out in the code to run
WIDEST_LINE = 67  # of what stands behind a label
NEGLIGIBLE = 4  # ulps: an entry that is this close is not one of the wrong ones


def number(value: Any, digits: int | None = None) -> str:
    """A number as text: the shortest that reads back exactly, or `digits` significant ones.

    Examples
    --------
    >>> number(0.1), number(2 / 3, 4), number(float("nan")), number(None)
    ('0.1', '0.6667', 'nan', '-')
    """
    if value is None:
        return "-"
    value = plain(value)
    if isinstance(value, dict) and set(value) == {"re", "im"}:
        sign = "" if str(value["im"]).startswith("-") else "+"
        return f"{number(value['re'], digits)}{sign}{number(value['im'], digits)}j"
    if isinstance(value, float) and digits is not None:
        return f"{value:.{digits}g}"
    return str(value)


def array(value: Any) -> str:
    """An argument's value, in brackets, or described by its shape where that would be long."""
    text = listed(value)
    if len(text) <= WIDEST_INLINE:
        return text
    shape = getattr(value, "shape", None)
    if shape is None:
        return text[: WIDEST_INLINE - 1] + "…"
    return uniform(value) or f"<array of shape {tuple(shape)}>"


def uniform(value: Any) -> str | None:
    """``<all 1.0, shape (4, 3)>`` for an array of one number; None for any other.

    Examples
    --------
    >>> import numpy as np
    >>> uniform(np.ones((4, 3))), uniform(np.arange(2)), uniform(1.0)
    ('<all 1.0, shape (4, 3)>', None, None)
    """
    shape, size = getattr(value, "shape", ()), getattr(value, "size", 0)
    if not shape or not size or not (value == value.flat[0]).all():
        return None
    return f"<all {number(value.flat[0])}, shape {tuple(shape)}>"


def listed(value: Any) -> str:
    """All of an argument's value, in brackets."""
    return _listed(plain(value))


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_listed(item) for item in value) + "]"
    if isinstance(value, dict):
        if set(value) == {"re", "im"}:
            return number(value)
        return "{" + ", ".join(f"{k}: {_listed(v)}" for k, v in value.items()) + "}"
    return str(value)


def entry_name(argument: str | None, index: tuple[int, ...]) -> str:
    """``x[0, 2]``, or ``x`` for a scalar."""
    name = argument or "entry"
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def inputs(found: Counterexample) -> list[tuple[str, Any]]:
    """The input of a counterexample, argument by argument, upstream gradient last."""
    values = list(found.inputs.items())
    if found.grad_output is not None:
        values.append(("grad_output", found.grad_output))
    return values


def is_long(report: Report) -> bool:
    """Whether the counterexample's input does not fit on the line that says where."""
    found = report.counterexample
    return found is not None and len(where(report) or "") > WIDEST_LINE


def headline(report: Report) -> str:
    """What is wrong, in one sentence without a full stop; for a pass, what that means."""
    failed = [f for f in report.findings if f.status == "fail"]
    found = report.counterexample
    argument = report.argument
    match report.verdict:
        case Verdict.REFUTED if report.blame in ("forward", "formula", "domain"):
            if failed and failed[0].message:
                return _blamed(report.blame or "", failed[0].message)
            return f"{report.blame} is the odd one out"
        case Verdict.REFUTED:
            if failed and all(f.evidence == "contract" for f in failed):
                return _blamed("backward", failed[0].message)
            if raises(report):
                return _sentence(failed[0].message)
            if argument is not None:
                order = "second " if _only(failed, "second_order") else ""
                return f"backward gives a wrong {order}gradient of {argument}"
            if failed and failed[0].message:
                return _blamed("backward", failed[0].message)
            return "backward is wrong"
        case Verdict.INACCURATE:
            whose = f"the gradient of {argument}" if argument else "the gradient"
            if found is not None and not _finite(found.actual):
                return f"{whose} is {number(found.actual)} where the derivative is finite"
            if report.max_ulp is not None:
                return f"{whose} loses digits: {number(report.max_ulp, 3)} ulps"
            return f"{whose} loses digits"
        case Verdict.UNDECIDED:
            skipped = [f.message for f in report.findings if f.status == "skip" and f.message]
            return _sentence(report.reason or (skipped[0] if skipped else "nothing could be said"))
        case _:
            return report.verdict.meaning


def _blamed(who: str, message: str) -> str:
    """``backward: what it did``, or the message alone where it names the culprit itself."""
    return _sentence(message if message.startswith(who) else f"{who}: {message}")


def _only(findings: list, evidence: str) -> bool:
    return bool(findings) and all(f.evidence == evidence for f in findings)


def _sentence(text: str) -> str:
    """The first sentence of `text`, without its full stop."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first.split(". ")[0].removesuffix(".")


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(abs(complex(value)))
    except (TypeError, ValueError, OverflowError):
        return False


def values(report: Report) -> tuple[str | None, str] | None:
    """What was given, if anything was, and what was expected; None where neither is a number."""
    found = report.counterexample
    if found is None or (_is_nan(found.expected) and _is_nan(found.actual)):
        return None
    return None if raises(report) else number(found.actual), number(found.expected)


def raises(report: Report) -> bool:
    """Whether backward gave nothing at all."""
    failed = [f.message for f in report.findings if f.status == "fail"]
    return bool(failed) and failed[0].startswith("backward raises")


def error(report: Report) -> str | None:
    """How far off the value of the counterexample is, in three measures."""
    found = report.counterexample
    if found is None or _is_nan(found.actual) or _is_nan(found.expected):
        return None
    entry = Entry.compare(report.argument or "", tuple(found.index), found.actual, found.expected)
    if not math.isfinite(entry.abs_error):
        return None
    parts = [f"{number(entry.abs_error, 2)} absolute"]
    if math.isfinite(entry.rel_error):
        parts.append(f"{number(entry.rel_error, 2)} relative")
    if entry.ulps is not None and entry.expected:
        parts.append(f"{number(entry.ulps, 2)} ulps")
    return ", ".join(parts)


def _is_nan(value: Any) -> bool:
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return False


def derivation(report: Report) -> str | None:
    """The command that shows all of a derivative that is too long to be given here."""
    whole = not (report.derivative or "").endswith("...")
    return None if whole or ":" not in report.name else f"gradproof explain {report.name}"


def place(report: Report) -> str | None:
    """``file.py:12``, where an editor would jump to."""
    return f"{report.location[0]}:{report.location[1]}" if report.location else None


def where(report: Report, *, short: bool = False) -> str | None:
    """The entry and the input that show the failure; `short` leaves the values out."""
    found = report.counterexample
    if found is None:
        return place(report)
    # Without two numbers to compare it is not about one entry; of a scalar there is but one.
    index = () if values(report) is None else tuple(found.index)
    entry = entry_name(report.argument, index) if index else ""
    if not short:
        point = ", ".join(f"{name} = {array(value)}" for name, value in inputs(found))
        return " at ".join(part for part in (entry, point) if part)
    shapes = [
        f"{name} {tuple(value.shape)}"
        for name, value in inputs(found)
        if getattr(value, "shape", ())
    ]
    if not shapes:
        return entry or "at the input below"
    return f"{entry}, shapes {', '.join(shapes)}" if entry else f"shapes {', '.join(shapes)}"


def again(report: Report) -> str | None:
    """The command that makes the same report, or where to find the code that does."""
    if report.command:
        return report.command
    if ":" in report.name:
        return f"gradproof {shlex.quote(report.name)}"
    if report.snippet:
        lines = report.snippet.strip().splitlines()
        return lines[0] if len(lines) == 1 else "run the code below"
    return None


def wrong_entries(entries: list[Entry]) -> list[Entry]:
    """The rows of the failure table: the wrong entries, the largest loss first.

    What is not finite comes before the rest.
    """

    def loss(entry: Entry) -> tuple[float, float]:
        size = entry.ulps if entry.ulps is not None else entry.rel_error
        return (
            math.inf if math.isnan(size) else size,
            math.inf if math.isnan(entry.abs_error) else entry.abs_error,
        )

    wrong = [e for e in entries if e.abs_error != 0 and (e.ulps is None or e.ulps > NEGLIGIBLE)]
    return sorted(wrong, key=loss, reverse=True)


def cells(report: Report) -> str:
    """``3 cells`` where all of them were proved, or how many of them were.

    Examples
    --------
    >>> cells(Report("f", Verdict.VERIFIED, cells={"explored": 3, "proved": 2}))
    '2 of 3 cells proved'
    """
    explored, proved = report.cells.get("explored", 0), report.cells.get("proved", 0)
    plural = "cell" if explored == 1 else "cells"
    if not explored:
        return ""
    if proved == explored:
        return f"{explored} {plural}"
    return f"{proved} of {explored} {plural} proved"


def power(report: Report) -> str:
    """How much a pass says: cells, digits lost, and the smallest error that would have shown."""
    parts = [cells(report)]
    if report.max_ulp is not None:
        parts.append(f"{number(float(report.max_ulp), 2)} ulp")
    if report.resolution is not None:
        parts.append(f"sees {number(float(report.resolution), 1)}")
    return ", ".join(part for part in parts if part)


def counts(reports: list[Report]) -> str:
    """``5 checked: 3 proved, 1 refuted, 1 undecided``."""
    tally = [(sum(r.verdict is v for r in reports), v.value) for v in Verdict]
    kept = sum(r.cached for r in reports)
    source = f" ({kept} from the cache)" if kept else ""
    return f"{len(reports)} checked{source}: " + ", ".join(f"{n} {v}" for n, v in tally if n)


def time_taken(report: Report) -> str:
    """``0.52 s``, or that it was known already."""
    return "cached" if report.cached else f"{report.seconds:.2f} s"
