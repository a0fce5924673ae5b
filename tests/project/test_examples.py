"""The programs in examples/ run, and show what they say they show."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def main(name):
    return runpy.run_path(str(EXAMPLES / name))["main"]()


def test_huber(capsys):
    main("huber.py")
    wrong, right = capsys.readouterr().out.split("\n\n")[:2]
    assert wrong.startswith("REFUTED  Huber: backward gives a wrong gradient of x\n")
    assert "delta=0.5" in wrong
    assert "expected   0.5\n" in wrong
    assert right.startswith("proved     RightHuber")


def test_minimize(capsys):
    main("minimize.py")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "careless_grad: refuted"
    assert lines[2] == "cost_grad: proved"
    costs = [float(line.split("cost ")[1].split(",")[0]) for line in lines[1::2]]
    assert costs[1] < 1e-9 < costs[0]


def test_regression():
    quasi_newton, newton = main("regression.py")
    assert quasi_newton.fun < 1e-3
    assert newton.fun < 1e-3
    module = runpy.run_path(str(EXAMPLES / "regression.py"))
    w = np.linspace(-1, 1, quasi_newton.x.size)
    step = 1e-6 * np.cos(w)
    difference = module["gradient"](w + step) - module["gradient"](w - step)
    np.testing.assert_allclose(module["hessian_product"](w, step), difference / 2, rtol=1e-5)


def test_with_pytest():
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_with_pytest.py"],
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_PLUGINS": plugin()},
        capture_output=True,
        text=True,
    )
    assert "3 passed" in run.stdout, run.stdout + run.stderr


def plugin():
    """The plugin's module, unless gradproof is installed and pytest finds it by itself."""
    from importlib.metadata import entry_points

    installed = {entry.name for entry in entry_points(group="pytest11")}
    return "" if "gradproof" in installed else "verify.pytest_plugin"


def test_notebook(monkeypatch):
    """Executed anew, each cell shows the text that is stored with it."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(EXAMPLES / "tutorial.ipynb", as_version=4)
    stored = [texts(cell) for cell in notebook.cells]
    assert sum(map(len, stored)) > 5
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert [texts(cell) for cell in notebook.cells] == stored


def texts(cell):
    return [output["data"]["text/plain"] for output in cell.get("outputs", ()) if "data" in output]
