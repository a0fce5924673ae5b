"""The results as JUnit XML, in the dialect that CI servers read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from verify.report import wording
from verify.report.text import render
from verify.verdict import Report, Verdict

# Control characters, surrogates and the like have no place in XML 1.0, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(
    reports: Sequence[Report],
    *,
    seconds: float = 0.0,
    errors: Sequence[dict[str, Any]] = (),
    strict: bool = False,
    ignored: Mapping[str, str] | None = None,
) -> str:
    """The whole file: a test case for each result, and one for each target that did not load.

    A gradient that is refuted or inaccurate is a failure. One that is undecided is skipped, since
    JUnit knows no third way, or a failure if `strict`. What the configuration says not to check is
    skipped too, with the reason.
    """
    ignored = ignored or {}
    failed = [r for r in reports if not r.ok and (strict or r.verdict is not Verdict.UNDECIDED)]
    skipped = [r for r in reports if r.verdict is Verdict.UNDECIDED and not strict]
    counts = {
        "tests": str(len(reports) + len(errors) + len(ignored)),
        "failures": str(len(failed)),
        "errors": str(len(errors)),
        "skipped": str(len(skipped) + len(ignored)),
        "time": f"{seconds:.3f}",
    }
    root = ET.Element("testsuites", {"name": "gradproof", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": "gradproof", **counts})
    for report in reports:
        case = _case(suite, report.name, report.seconds, report.location)
        properties = ET.SubElement(case, "properties")
        for name, value in _properties(report):
            ET.SubElement(properties, "property", {"name": name, "value": _legal(value)})
        if not report.ok:
            kind = "failure" if report in failed else "skipped"
            attributes = {"message": _legal(wording.headline(report))}
            if kind == "failure":
                attributes["type"] = report.verdict.value
            ET.SubElement(case, kind, attributes).text = _legal(render(report))
        if report.printed:
            ET.SubElement(case, "system-out").text = _legal(report.printed)
    for name, reason in ignored.items():
        case = _case(suite, name, 0.0, None)
        ET.SubElement(case, "skipped", {"message": _legal(f"ignored: {reason}")})
    for error in errors:
        place = error.get("location")
        location = (place["file"], place["line"]) if place else None
        case = _case(suite, error["target"], 0.0, location)
        message = _legal(error["message"])
        ET.SubElement(case, "error", {"message": message, "type": "LoadError"}).text = message
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(
    suite: ET.Element, target: str, seconds: float, location: tuple[str, int] | None
) -> ET.Element:
    module, _, name = target.rpartition(":")
    # dots, because readers make a tree of packages out of them
    home = (module or target).removesuffix(".py").replace("/", ".").strip(".")
    attributes = {"classname": _legal(home), "name": _legal(name), "time": f"{seconds:.3f}"}
    if location:
        attributes |= {"file": _legal(location[0]), "line": str(location[1])}
    return ET.SubElement(suite, "testcase", attributes)


def _properties(report: Report) -> list[tuple[str, str]]:
    values = {
        "verdict": report.verdict.value,
        "cells": wording.cells(report),
        "max_ulp": report.max_ulp,
        "resolution": report.resolution,
        "derivative": report.derivative,
    }
    return [(name, str(value)) for name, value in values.items() if value not in (None, "")]


def _legal(text: object) -> str:
    return _ILLEGAL.sub("\ufffd", str(text))
