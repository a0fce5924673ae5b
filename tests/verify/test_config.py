from pathlib import Path

import pytest

from verify.config import Config, ConfigError, read


def write(folder, text):
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_all_options(tmp_path):
    text = """
[tool.gradproof]
targets = ["layers.py"]
timeout = 5
max-ulps = 8
seed = 3
order = 2
jobs = 1
strict = true
[tool.gradproof.ignore]
"layers.py:Old*" = "to be removed"
"""
    config = read(write(tmp_path, text))
    assert config.targets == ("layers.py",)
    assert config.options == {
        "timeout": 5, "max_ulps": 8, "seed": 3, "order": 2, "jobs": 1, "strict": True
    }  # fmt: skip
    assert config.reason_to_ignore("layers.py:OldRelu") == "to be removed"
    assert config.reason_to_ignore("layers.py:Relu") is None
    assert config.file == tmp_path / "pyproject.toml"


def test_the_nearest_file_upwards_counts(tmp_path):
    write(tmp_path, "[tool.gradproof]\nseed = 1")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert read(inner).options == {"seed": 1}
    write(tmp_path / "a", "[tool.other]\nx = 1")
    assert read(inner) == Config(file=tmp_path / "a" / "pyproject.toml")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("time = 3", "knows targets, ignore, .* not 'time'"),
        ("timeout = '3'", "timeout is a int or float, not '3'"),
        ("timeout = 0", "timeout is positive, not 0"),
        ("seed = true", "seed is a int, not True"),
        ("order = 5", "order is 1 to 4, not 5"),
        ("jobs = -1", "jobs is 0 or more"),
        ("targets = [3]", "targets are strings"),
        ("ignore = {x = ''}", "gives each name a reason"),
        ("ignore = ['x']", "ignore is a dict"),
        ("x = = 3", "pyproject.toml"),
    ],
)
def test_nonsense_is_refused(tmp_path, line, complaint):
    with pytest.raises(ConfigError, match=complaint):
        read(write(tmp_path, f"[tool.gradproof]\n{line}"))


def test_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    assert read(tmp_path) == Config()
