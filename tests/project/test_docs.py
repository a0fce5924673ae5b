"""The documents agree with the code and with each other."""

import doctest
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import verify
from verify.audit.command import audit
from verify.command import check, explain
from verify.explain import explanation

ROOT = Path(__file__).parents[2]


def commands(text):
    return re.findall(r"^python3 -m venv .*$", text, re.MULTILINE)


def test_ci_runs_the_commands_of_the_readme():
    readme = commands((ROOT / "README.md").read_text())
    ci = commands((ROOT / ".ci" / "run").read_text())
    assert len(readme) == 2
    assert ci == readme


def test_the_commands_stand_on_the_first_screen():
    first = "\n".join((ROOT / "README.md").read_text().splitlines()[:60])
    assert len(commands(first)) == 2


def test_one_version():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"]
    source = ROOT / settings["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{verify.__version__}"' in source.read_text()


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_documents_name_options_that_exist():
    runner = CliRunner()
    known = "".join(runner.invoke(c, ["--help"]).output for c in (check, explain, audit))
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for line in page.read_text().splitlines():
            if "gradproof" in line and "pytest" not in line:
                for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
                    assert option in known, f"{page.name}: {line}"


def test_the_contributors_commands_are_those_of_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    table = (ROOT / "CONTRIBUTING.md").read_text()
    for command in ("ruff check .", "ruff format", "mypy", "lint-imports", "pytest -n auto"):
        assert command in ci
        assert command in table


def test_the_derivation_in_the_readme_is_what_is_printed():
    _, shown = re.findall(r"^```text\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert explanation("autodiff:Softplus") == shown.rstrip("\n")


def test_the_refutation_in_the_readme_is_what_is_printed():
    readme = runpy.run_path(str(ROOT / "tests" / "project" / "readme.py"))
    seconds, blocks, printed = readme["SECONDS"], readme["blocks"], readme["printed"]
    # it has changed? python tests/project/readme.py
    assert seconds.sub("", printed()) == seconds.sub("", blocks("text")[0])


def test_the_python_in_the_readme_runs():
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert results.attempted > 2
    assert results.failed == 0


@pytest.mark.parametrize("page", ["start", "tutorial", "your-code"])
def test_the_python_in_the_documents_runs(page):
    results = doctest.testfile(
        str(ROOT / "docs" / f"{page}.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert results.attempted > 2
    assert results.failed == 0


def test_the_commands_in_the_documents_print_what_is_shown(tmp_path):
    """Blocks with a title are files; of what a command prints, the beginning is shown."""
    text = (ROOT / "docs" / "start.md").read_text()
    for name, code in re.findall(r'^```python title="(.+?)"\n(.*?)^```$', text, re.M | re.S):
        (tmp_path / name).write_text(code)
    sessions = re.findall(r"^```console\n\$ gradproof (.*?)\n(.*?)^```$", text, re.M | re.S)
    assert len(sessions) == 3
    for arguments, shown in sessions:
        run = subprocess.run(
            [sys.executable, "-m", "verify", *shlex.split(arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert run.stdout.startswith(shown.rstrip("\n")), run.stdout + run.stderr


def test_the_site_shows_every_page():
    pages = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    listed = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    assert {p for p in pages if not p.startswith("measured/")} | {
        "functions.md",
        "audit.md",
    } == listed


def test_the_verdicts_of_the_readme_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\w+).*\|$", (ROOT / "README.md").read_text(), re.M)
    assert [(v.value, v.passes) for v in verify.Verdict] == [(n, p == "yes") for n, p in rows]
