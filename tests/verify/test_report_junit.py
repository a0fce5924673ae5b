import xml.etree.ElementTree as ET

import pytest

from verify import Finding, Report, Verdict
from verify.report import junit

REPORTS = [
    Report("path/layers.py:Sin", Verdict.PROVED, seconds=0.25, max_ulp=1.5, derivative="cos(x)"),
    Report(
        "path/layers.py:Cos",
        Verdict.REFUTED,
        argument="x",
        findings=[Finding("oracle", "fail", "x < y & \x1b[2J \x00")],
        location=("path/layers.py", 7),
        printed="hello\x07",
    ),
    Report("autodiff:Tan", Verdict.UNDECIDED, reason="hung"),
    Report("autodiff:Exp", Verdict.INACCURATE, argument="x"),
]
ERRORS = [{"target": "bad.py", "message": "1/0", "location": {"file": "bad.py", "line": 3}}]


@pytest.fixture
def suite():
    return ET.fromstring(junit.document(REPORTS, seconds=1.5, errors=ERRORS).encode())


def test_counts(suite):
    for element in (suite, suite.find("testsuite")):
        counts = {k: element.get(k) for k in ("tests", "failures", "errors", "skipped", "time")}
        assert counts == {
            "tests": "5", "failures": "2", "errors": "1", "skipped": "1", "time": "1.500"
        }  # fmt: skip


def test_cases(suite):
    cases = suite.findall("testsuite/testcase")
    assert [(c.get("classname"), c.get("name")) for c in cases] == [
        ("path.layers", "Sin"),
        ("path.layers", "Cos"),
        ("autodiff", "Tan"),
        ("autodiff", "Exp"),
        ("bad", "bad.py"),
    ]
    kinds = [[child.tag for child in case if child.tag != "properties"] for case in cases]
    assert kinds == [[], ["failure", "system-out"], ["skipped"], ["failure"], ["error"]]
    assert (cases[1].get("file"), cases[1].get("line")) == ("path/layers.py", "7")
    assert (cases[4].get("file"), cases[4].get("line")) == ("bad.py", "3")


def test_a_failure_is_the_report(suite):
    failure = suite.find("testsuite/testcase/failure")
    assert failure.get("type") == "refuted"
    assert failure.get("message") == "backward gives a wrong gradient of x"
    assert failure.text.startswith("REFUTED  path/layers.py:Cos")
    assert "x < y &" in failure.text


def test_properties(suite):
    found = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert found["max_ulp"] == "1.5"
    assert found["derivative"] == "cos(x)"


def test_undecided_fails_strictly():
    root = ET.fromstring(junit.document(REPORTS, strict=True).encode())
    assert (root.get("failures"), root.get("skipped")) == ("3", "0")
    assert len(root.findall(".//failure")) == 3


def test_what_is_ignored_is_skipped_with_its_reason():
    root = ET.fromstring(junit.document([], ignored={"layers.py:Old": "gone"}).encode())
    assert (root.get("tests"), root.get("skipped")) == ("1", "1")
    (case,) = root.findall("testsuite/testcase")
    assert (case.get("classname"), case.get("name")) == ("layers", "Old")
    assert case.find("skipped").get("message") == "ignored: gone"
