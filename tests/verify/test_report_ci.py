"""What CI systems read beside JUnit: annotations of GitHub Actions, and SARIF."""

import json

import pytest

from verify import Report, Verdict
from verify.report import annotations, sarif

WRONG = Report(
    "a,b:layers.py:F", Verdict.REFUTED, argument="x", location=("a,b.py", 7), diagnosis="100%\nx"
)
UNDECIDED = Report("layers.py:G", Verdict.UNDECIDED, reason="hung", location=("/abs/layers.py", 9))
RIGHT = Report("layers.py:H", Verdict.PROVED)
ERRORS = [{"target": "bad.py", "message": "1/0", "location": {"file": "bad.py", "line": 3}}]


class TestAnnotations:
    def test_only_in_a_workflow(self):
        assert annotations.wanted({"GITHUB_ACTIONS": "true"})
        assert not annotations.wanted({})

    def test_lines(self):
        assert annotations.lines([WRONG, UNDECIDED, RIGHT], errors=ERRORS) == [
            "::error file=a%2Cb.py,line=7,title=gradproof%3A a%2Cb%3Alayers.py%3AF is refuted::"
            "backward gives a wrong gradient of x%0Aa,b.py:7%0A100%25%0Ax",
            "::warning file=/abs/layers.py,line=9,"
            "title=gradproof%3A layers.py%3AG is undecided::hung%0A/abs/layers.py:9",
            "::error file=bad.py,line=3,title=gradproof%3A bad.py cannot be loaded::1/0",
        ]

    def test_undecided_is_an_error_strictly(self):
        (line,) = annotations.lines([UNDECIDED], strict=True)
        assert line.startswith("::error ")


class TestSarif:
    @pytest.fixture
    def run(self):
        log = json.loads(sarif.document([WRONG, UNDECIDED, RIGHT], errors=ERRORS))
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        return run

    def test_results_point_at_their_rules_and_lines(self, run):
        rules = run["tool"]["driver"]["rules"]
        found = [(r["level"], rules[r["ruleIndex"]]["id"], r["ruleId"]) for r in run["results"]]
        assert found == [("error", "refuted", "refuted"), ("warning", "undecided", "undecided")]
        places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
        assert places[0] == {"artifactLocation": {"uri": "a,b.py"}, "region": {"startLine": 7}}
        assert places[1]["artifactLocation"]["uri"] == "file:///abs/layers.py"

    def test_what_did_not_load_is_a_notification(self, run):
        (invocation,) = run["invocations"]
        assert not invocation["executionSuccessful"]
        assert "1/0" in invocation["toolExecutionNotifications"][0]["message"]["text"]

    def test_the_fingerprint_outlives_a_moved_line(self, run):
        moved = Report("a,b:layers.py:F", Verdict.REFUTED, argument="x", location=("a,b.py", 8))
        (result,) = json.loads(sarif.document([moved]))["runs"][0]["results"]
        assert result["partialFingerprints"] == run["results"][0]["partialFingerprints"]

    def test_strict(self):
        log = json.loads(sarif.document([UNDECIDED], strict=True))
        assert log["runs"][0]["results"][0]["level"] == "error"
