"""Files to load, written by the tests that load them."""

import textwrap
from pathlib import Path

import pytest

STUB = f"{Path(__file__).parent / 'stub.py'}:check"
HEADER = "from autodiff import Function\n"
FUNCTION = """
class {name}(Function):
    verdict = {verdict!r}

    @staticmethod
    def forward(ctx, x):
        {forward}
        return x

    @staticmethod
    def backward(ctx, grad):
        return grad
"""


@pytest.fixture(autouse=True)
def no_error_is_hidden(monkeypatch):
    """An error of the checker's own is raised, not reported."""
    monkeypatch.setattr("verify.casework.Casework.strict", True)


@pytest.fixture
def stubbed(monkeypatch, tmp_path, tmp_path_factory):
    """Checks are answered by the stub, the current directory and the cache are empty."""
    monkeypatch.setenv("GRADPROOF_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("verify.sweep.CHECKER", STUB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(tmp_path):
    """``write("file.py", A="proved", B=("refuted", "print('x')"))`` makes a file of Functions."""

    def write(file, text=None, **functions):
        if text is None:
            text = HEADER
            for name, verdict in functions.items():
                verdict, forward = verdict if isinstance(verdict, tuple) else (verdict, "pass")
                text += FUNCTION.format(name=name, verdict=verdict, forward=forward)
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return write
