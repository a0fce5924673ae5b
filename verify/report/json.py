"""The results as JSON, in the schema that the README's readers and CI scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from verify import __version__
from verify.verdict import Report, Verdict

SCHEMA_VERSION = 1


def document(
    reports: Sequence[Report],
    *,
    seed: int = 0,
    seconds: float = 0.0,
    errors: Sequence[dict[str, Any]] = (),
    ignored: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The whole result file as a dict.

    Parameters
    ----------
    reports : sequence of Report
        In the order of the source.
    seed : int
        What made the random choices.
    seconds : float
        Wall-clock time of the whole run.
    errors : sequence of dict
        Targets that could not be loaded: ``target``, ``message``, ``location``.
    ignored : mapping of str to str, optional
        Names that the configuration says not to check, and why.
    """
    summary: dict[str, Any] = {v.value: sum(r.verdict is v for r in reports) for v in Verdict}
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": "gradproof",
        "version": __version__,
        "seed": seed,
        "results": [report.to_dict() for report in reports],
        "errors": list(errors),
        "ignored": [{"name": n, "reason": why} for n, why in (ignored or {}).items()],
        "summary": {**summary, "seconds": round(seconds, 3)},
    }


def dumps(document: dict[str, Any]) -> str:
    """As text; refuses NaN, so that a value that slipped through is an error here, not there."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema that every result file satisfies."""
    return json.loads(
        resources.files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
    )
