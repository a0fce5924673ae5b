import json
import math
import pickle

import numpy as np
import pytest

from verify import Counterexample, Entry, Finding, Report, Verdict
from verify.verdict import plain


def refuted():
    return Report(
        name="file.py:F",
        verdict=Verdict.REFUTED,
        blame="backward",
        argument="x",
        findings=[Finding("oracle", "fail", "off by a factor")],
        counterexample=Counterexample(
            inputs={"x": np.array([0.5, np.inf]), "axis": -1, "keys": (np.int64(2), slice(1))},
            grad_output=np.ones(2, dtype=np.float32),
            index=(np.int64(1),),
            expected=np.float64(0.25),
            actual=np.float64("nan"),
        ),
        entries=[Entry.compare("x", (0,), 1.0, 0.5)],
        location=("file.py", 3),
    )


def test_only_proved_and_verified_pass():
    assert [v.value for v in Verdict if v.passes] == ["proved", "verified"]
    assert [v.value for v in Verdict if Report("f", v).ok] == ["proved", "verified"]


def test_a_verdict_is_its_word():
    assert Verdict("refuted") is Verdict.REFUTED
    assert f"{Verdict.REFUTED}" == Verdict.REFUTED == "refuted"
    assert all(v.meaning for v in Verdict)


def test_a_report_has_the_schema_of_the_json_results():
    result = refuted().to_dict()
    assert list(result)[:12] == [
        "name", "verdict", "blame", "argument", "findings", "counterexample", "cells",
        "not_covered", "derivative", "max_ulp", "resolution", "seconds",
    ]  # fmt: skip
    assert result["findings"] == [
        {"evidence": "oracle", "status": "fail", "message": "off by a factor"}
    ]
    assert result["counterexample"] == {
        "inputs": {"x": [0.5, "inf"], "axis": -1, "keys": [2, "slice(None, 1, None)"]},
        "grad_output": [1.0, 1.0],
        "index": [1],
        "expected": 0.25,
        "actual": "nan",
    }
    assert result["cells"] == {"explored": 0, "proved": 0}
    assert result["location"] == {"file": "file.py", "line": 3}


def test_json_takes_a_report_and_knows_no_nan():
    text = json.dumps(refuted().to_dict(), allow_nan=False)
    assert json.loads(text)["verdict"] == "refuted"


def test_reports_travel_between_processes():
    sent = refuted()
    got = pickle.loads(pickle.dumps(sent))
    assert got.to_dict() == sent.to_dict()
    assert got.verdict is Verdict.REFUTED


def test_reports_do_not_share_their_lists():
    one, other = Report("a", Verdict.PROVED), Report("b", Verdict.PROVED)
    one.findings.append(Finding("proof", "pass"))
    one.cells["explored"] = 3
    assert other.findings == []
    assert other.cells == {"explored": 0, "proved": 0}


@pytest.mark.parametrize(("evidence", "status"), [("hearsay", "pass"), ("proof", "maybe")])
def test_a_finding_is_one_of_the_known_kinds(evidence, status):
    with pytest.raises(ValueError, match="is one of"):
        Finding(evidence, status)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array(3), 3),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.array([0.5, None], dtype=object), [0.5, None]),
        (-math.inf, "-inf"),
        (1 + 2j, {"re": 1.0, "im": 2.0}),
        (np.array([1j]), [{"re": 0.0, "im": 1.0}]),
        (np.longdouble(0.25), 0.25),
        ({"a": ({1, 2},)}, {"a": [[1, 2]]}),
        (np.sum, "sum"),
        (Verdict.PROVED, "proved"),
    ],
)
def test_plain(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


class TestEntry:
    def test_measures_in_ulps_of_what_is_expected(self):
        row = Entry.compare("x", (0,), 1.0 + 4 * np.finfo(float).eps, 1.0)
        assert row.ulps == 4
        assert row.rel_error == 4 * np.finfo(float).eps

    def test_expected_zero_is_infinitely_far_relatively(self):
        row = Entry.compare("x", (), 1e-3, 0.0)
        assert row.abs_error == 1e-3
        assert row.rel_error == math.inf

    def test_equal_infinities_are_no_error(self):
        assert Entry.compare("x", (), math.inf, math.inf).abs_error == 0

    def test_nan_has_no_ulps(self):
        row = Entry.compare("x", (), math.nan, 1.0)
        assert math.isnan(row.abs_error)
        assert row.ulps is None
