"""The documents agree with the code and with each other."""

import re
import tomllib
from pathlib import Path

import verify

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
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == verify.__version__


def test_the_contributors_commands_are_those_of_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    table = (ROOT / "CONTRIBUTING.md").read_text()
    for command in ("ruff check .", "ruff format", "mypy", "lint-imports", "pytest -n auto"):
        assert command in ci
        assert command in table
