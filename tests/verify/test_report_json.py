import json
import os
import stat

import jsonschema
import numpy as np
import pytest

from verify import Counterexample, Entry, Finding, Report, Verdict, __version__
from verify.report import files
from verify.report import json as report_json


def test_document():
    reports = [Report("a", Verdict.PROVED, seconds=0.5), Report("b", Verdict.REFUTED)]
    errors = [{"target": "c.py", "message": "no such file", "location": None}]
    document = report_json.document(reports, seed=3, seconds=1.23456, errors=errors)
    assert document["schema_version"] == 1
    assert document["tool"] == "gradproof"
    assert document["version"] == __version__
    assert document["seed"] == 3
    assert [r["name"] for r in document["results"]] == ["a", "b"]
    assert document["errors"] == errors
    assert document["summary"] == {
        "proved": 1, "verified": 0, "inaccurate": 0, "refuted": 1, "undecided": 0, "seconds": 1.235
    }  # fmt: skip
    assert json.loads(report_json.dumps(document)) == document


FULL = Report(
    "layers.py:F",
    Verdict.REFUTED,
    blame="backward",
    argument="x",
    findings=[Finding("second_order", "fail", "no")],
    counterexample=Counterexample(
        {"x": np.array([np.nan]), "z": 1j, "axis": None}, np.ones(1), (np.int64(0),), 1.0, -np.inf
    ),
    max_ulp=np.inf,
    resolution=np.float64(1e-15),
    entries=[Entry.compare("x", (0,), np.nan, 1.0)],
    location=("layers.py", 3),
    samples=[(1.0, np.inf, None)],
)


@pytest.mark.parametrize("report", [FULL, Report("f", Verdict.PROVED)])
def test_files_satisfy_the_published_schema(report):
    errors = [{"target": "c.py", "message": "no such file", "location": None}]
    document = report_json.document([report], errors=errors, ignored={"x": "because"})
    jsonschema.Draft202012Validator.check_schema(report_json.schema())
    jsonschema.validate(json.loads(report_json.dumps(document)), report_json.schema())


def test_the_schema_refuses_what_is_none():
    document = report_json.document([FULL])
    document["results"][0]["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError, match="fine"):
        jsonschema.validate(document, report_json.schema())


def test_the_schema_knows_every_field():
    known = report_json.schema()["$defs"]["result"]["properties"]
    assert set(FULL.to_dict()) == set(known)


def test_dumps_refuses_what_json_lacks():
    with pytest.raises(ValueError, match="JSON"):
        report_json.dumps({"x": float("nan")})


def test_write_replaces_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_write_keeps_links_and_modes(tmp_path):
    path, link = tmp_path / "report.json", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    files.write(str(link), "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_is_readable_as_the_umask_says(tmp_path):
    old = os.umask(0o027)
    try:
        files.write(str(tmp_path / "new"), "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_dash_is_standard_output(capsys):
    files.write("-", "text\n")
    assert capsys.readouterr().out == "text\n"


def test_what_is_not_a_file_is_written_to(tmp_path):
    files.write(os.devnull, "text")
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize(("name", "complaint"), [(".", "directory"), ("no/such/file", "no")])
def test_problem_is_known_before(tmp_path, monkeypatch, name, complaint):
    monkeypatch.chdir(tmp_path)
    assert complaint in files.problem(name)
    assert files.problem("file") is None
