"""The results as SARIF 2.1.0, for the code-scanning pages of code hosts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from verify import __version__
from verify.report import wording
from verify.verdict import Report, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Verdict.REFUTED: "error", Verdict.INACCURATE: "error", Verdict.UNDECIDED: "warning"}


def document(
    reports: Sequence[Report], *, errors: Sequence[dict[str, Any]] = (), strict: bool = False
) -> str:
    """The whole file: one rule for each verdict that does not pass, one result for each such."""
    rules: list[dict[str, Any]] = [
        {
            "id": verdict.value,
            "shortDescription": {"text": f"gradient {verdict.value}"},
            "fullDescription": {"text": verdict.meaning},
            "defaultConfiguration": {"level": "error" if strict else level},
        }
        for verdict, level in LEVELS.items()
    ]
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "gradproof", "version": __version__, "rules": rules}},
                "invocations": [
                    {
                        "executionSuccessful": not errors,
                        "toolExecutionNotifications": [_notification(error) for error in errors],
                    }
                ],
                "results": [_result(report, places, strict) for report in reports if not report.ok],
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _result(report: Report, places: dict[str, int], strict: bool) -> dict[str, Any]:
    details = [wording.headline(report), wording.where(report), report.diagnosis]
    result: dict[str, Any] = {
        "ruleId": report.verdict.value,
        "ruleIndex": places[report.verdict.value],
        "level": "error" if strict else LEVELS[report.verdict],
        "message": {"text": f"{report.name}: " + "\n".join(part for part in details if part)},
        # the same finding in another commit, though its line has moved
        "partialFingerprints": {
            "gradproof/v1": hashlib.sha256(
                f"{report.name} {report.verdict.value} {report.argument}".encode()
            ).hexdigest()[:32]
        },
    }
    if report.location:
        result["locations"] = [_location(report.location)]
    return result


def _notification(error: dict[str, Any]) -> dict[str, Any]:
    place = error.get("location")
    notification: dict[str, Any] = {
        "level": "error",
        "message": {"text": f"{error['target']}: {error['message']}"},
    }
    if place:
        notification["locations"] = [_location((place["file"], place["line"]))]
    return notification


def _location(location: tuple[str, int]) -> dict[str, Any]:
    file, line = location
    path = Path(file)
    uri = path.as_uri() if path.is_absolute() else path.as_posix()
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": max(int(line), 1)},
        }
    }
