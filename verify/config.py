"""``[tool.gradproof]`` in pyproject.toml: what the command and the pytest plugin share."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "targets": (list,),
    "ignore": (dict,),
    "timeout": (int, float),
    "max-ulps": (int, float),
    "seed": (int,),
    "order": (int,),
    "jobs": (int,),
    "strict": (bool,),
    "cache": (bool,),
    "cache-dir": (str,),
}
RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "timeout": (lambda value: value > 0, "positive"),
    "max-ulps": (lambda value: value > 0, "positive"),
    "order": (lambda value: value in (1, 2, 3, 4), "1 to 4"),
    "jobs": (lambda value: value >= 0, "0 or more"),
}


class ConfigError(Exception):
    """A file that says something that gradproof does not understand."""


@dataclass(frozen=True)
class Config:
    """The options of a project; what is missing is left to the defaults.

    Parameters
    ----------
    targets : tuple of str
        What to check where the command names nothing.
    ignore : dict of str to str
        Names, or patterns of names, that are not checked, each with its reason.
    options : dict
        ``timeout``, ``max_ulps``, ``seed``, ``order``, ``jobs``, ``strict``, ``cache``,
        ``cache_dir``, as far as given.
    file : Path, optional
        Where all this stands.
    """

    targets: tuple[str, ...] = ()
    ignore: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    file: Path | None = None

    def reason_to_ignore(self, name: str) -> str | None:
        """Why this name is not checked, or None.

        Examples
        --------
        >>> config = Config(ignore={"layers.py:Old*": "to be removed"})
        >>> config.reason_to_ignore("layers.py:OldRelu")
        'to be removed'
        >>> config.reason_to_ignore("layers.py:Relu")
        """
        for pattern, reason in self.ignore.items():
            if fnmatch.fnmatchcase(name, pattern):
                return reason
        return None


def read(start: Path | None = None) -> Config:
    """The options in the nearest pyproject.toml, from `start` or here upwards.

    Raises
    ------
    ConfigError
        If the file cannot be read, or an option is unknown or of the wrong kind.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            return _parse(file)
    return Config()


def _parse(file: Path) -> Config:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("gradproof", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{file}: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.gradproof is a table")
    for key, value in table.items():
        if key not in KINDS:
            raise ConfigError(f"{file}: tool.gradproof knows {', '.join(KINDS)}, not {key!r}")
        kinds = KINDS[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise ConfigError(f"{file}: tool.gradproof.{key} is a {wanted}, not {value!r}")
    for key, (fits, wanted) in RANGES.items():
        if key in table and not fits(table[key]):
            raise ConfigError(f"{file}: tool.gradproof.{key} is {wanted}, not {table[key]!r}")
    targets = table.get("targets", [])
    ignore = table.get("ignore", {})
    if not all(isinstance(t, str) for t in targets):
        raise ConfigError(f"{file}: tool.gradproof.targets are strings")
    if not all(isinstance(r, str) and r.strip() for r in ignore.values()):
        raise ConfigError(f"{file}: tool.gradproof.ignore gives each name a reason")
    options = {k.replace("-", "_"): v for k, v in table.items() if k not in ("targets", "ignore")}
    return Config(tuple(targets), ignore, options, file)
