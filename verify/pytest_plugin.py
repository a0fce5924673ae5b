"""Gradients as tests: ``pytest --gradproof``, the fixture and the marker ``gradproof``.

``--gradproof`` makes a test of every Function, and of every registered subject, in the targets
that ``[tool.gradproof]`` names in pyproject.toml, or, where it names none, in the modules among
the files that pytest is given (not in the test files themselves).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verify.config import Config
    from verify.verdict import Report

# Importing a file runs it, so only files that could offer something are imported.
_OFFERS = re.compile(r"\bFunction\b|\bElementwise\b|\bregister\(")
_NEVER = {"conftest.py", "setup.py", "__main__.py"}
_CONFIG: pytest.StashKey[Config] = pytest.StashKey()


class Wrong(AssertionError):
    """A gradient that is not right; the text is the report, and no traceback is wanted."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--gradproof``."""
    parser.getgroup("gradproof").addoption(
        "--gradproof",
        action="store_true",
        help="check the gradients of the Functions in the tested modules, each as a test",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "gradproof(**options): options of verify.check for the fixture `gradproof`"
    )


@pytest.fixture
def gradproof(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """Check a gradient: ``gradproof(subject, **options)`` gives the report or fails with it.

    Options come from the call, the marker ``gradproof`` of the test, its class or its module, and
    ``[tool.gradproof]``, in this order.
    """
    from verify.api import assert_correct

    options = dict(_options(request.config))
    for marker in reversed(list(request.node.iter_markers("gradproof"))):
        options.update(marker.kwargs)

    def check(subject: Any, **more: Any) -> Report:
        __tracebackhide__ = True
        return assert_correct(subject, **{**options, **more})

    return check


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the Functions of a module that is among the files."""
    config = parent.config
    if not config.getoption("--gradproof") or file_path.suffix != ".py":
        return None
    named = parent.session.isinitpath(file_path)
    if _settings(config).targets and not named:
        return None
    tests = any(file_path.match(pattern) for pattern in config.getini("python_files"))
    if tests or file_path.name in _NEVER:
        return None
    if not _OFFERS.search(file_path.read_text(encoding="utf-8", errors="replace")):
        return None
    return GradproofFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose among the items
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the targets of pyproject.toml, unless single files were asked for."""
    if not config.getoption("--gradproof"):
        return
    known = {item.target for item in items if isinstance(item, GradproofItem)}
    for target in _settings(config).targets:
        collector = GradproofTarget.from_parent(session, name=target, nodeid=target)
        found = [item for item in collector.collect() if item.target not in known]
        known.update(item.target for item in found)
        items.extend(found)
        # As pytest reports what it collects itself: its counts are of all tests.
        collected = pytest.CollectReport(target, "passed", None, [*found])
        session.ihook.pytest_collectreport(report=collected)


class _Collector(pytest.Collector):
    def items(self, target: str) -> Iterator[GradproofItem]:
        from verify.load import LoadError, discover

        try:
            found = discover(target)
        except LoadError as error:
            raise self.CollectError(str(error)) from None
        for item in found:
            yield GradproofItem.from_parent(
                self,
                name=item.target.rpartition(":")[2],
                target=item.target,
                location=item.location,
            )


class GradproofFile(pytest.File, _Collector):
    """A file, collected for what it offers."""

    def collect(self) -> Iterator[GradproofItem]:
        """The Functions of the file."""
        from verify.load import shorten

        return self.items(shorten(str(self.path)))


class GradproofTarget(_Collector):
    """A target of pyproject.toml."""

    def collect(self) -> Iterator[GradproofItem]:
        """What the target names."""
        try:
            yield from self.items(self.name)
        except self.CollectError as error:
            raise pytest.UsageError(f"tool.gradproof.targets: {error}") from None


class GradproofItem(pytest.Item):
    """The check of one Function."""

    def __init__(
        self, *, target: str, location: tuple[str, int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.target = target
        self.place = location
        reason = _settings(self.config).reason_to_ignore(target)
        if reason is not None:
            self.add_marker(pytest.mark.skip(reason=reason))

    def runtest(self) -> None:
        """Check; a pass is what `proved` and `verified` are."""
        from verify.api import _check
        from verify.load import load
        from verify.verdict import Verdict

        loaded = load(self.target)
        report = _check()(loaded.subject, **{**_options(self.config), **loaded.options})
        report.name = self.target
        report.location = report.location or self.place
        self.user_properties.append(("verdict", report.verdict.value))
        if report.max_ulp is not None:
            self.user_properties.append(("max_ulp", float(report.max_ulp)))
        strict = _settings(self.config).options.get("strict", False)
        if report.verdict is Verdict.UNDECIDED and not strict:
            pytest.skip(f"undecided: {report.reason or 'nothing could be said'}")
        if not report.ok:
            raise Wrong(str(report))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show the report, which says more than a traceback through the checker."""
        if isinstance(excinfo.value, Wrong):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the Function is defined."""
        if self.place is None:
            return self.path, None, self.target
        return self.place[0], self.place[1] - 1, self.target


def _settings(config: pytest.Config) -> Config:
    if _CONFIG not in config.stash:
        from verify.config import ConfigError, read

        try:
            config.stash[_CONFIG] = read(config.rootpath)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_CONFIG]


def _options(config: pytest.Config) -> dict[str, Any]:
    """The options of `check` among those of pyproject.toml."""
    options = _settings(config).options
    return {key: options[key] for key in ("timeout", "max_ulps", "seed", "order") if key in options}
