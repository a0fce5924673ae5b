"""Workflow commands of GitHub Actions, which show a failure beside its line of a pull request."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from verify.report import wording
from verify.verdict import Report, Verdict


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this runs in a workflow of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def lines(
    reports: Sequence[Report], *, errors: Sequence[dict[str, Any]] = (), strict: bool = False
) -> list[str]:
    """One command for each result that does not pass, and for each target that did not load."""
    commands = []
    for report in reports:
        if report.ok:
            continue
        mild = report.verdict is Verdict.UNDECIDED and not strict
        details = [wording.headline(report), wording.where(report), report.diagnosis]
        message = "\n".join(part for part in details if part)
        title = f"gradproof: {report.name} is {report.verdict.value}"
        commands.append(_command("warning" if mild else "error", message, title, report.location))
    for error in errors:
        place = error.get("location")
        location = (place["file"], place["line"]) if place else None
        title = f"gradproof: {error['target']} cannot be loaded"
        commands.append(_command("error", error["message"], title, location))
    return commands


def _command(kind: str, message: str, title: str, location: tuple[str, int] | None) -> str:
    properties = {"file": location[0], "line": str(location[1])} if location else {}
    properties["title"] = title
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
