"""What a worker process does: load a target, check it, and hand back plain data.

The forkserver imports this module once, so its workers start with everything imported.  Whatever
the user's code prints, to Python's streams or to the file descriptors below them, goes to the
task's log file; so do the tracebacks of a crash or of a hang, which the parent reads there.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from verify.cache import Cache
from verify.fingerprint import Unknown, fingerprint
from verify.load import Item, Loaded, LoadError, discover, load, load_companion, shorten
from verify.verdict import Report, Verdict, plain

PRINTED_LINES = 10
MARGIN = 0.3  # seconds before the kill at which a hanging task writes where it is


def warm() -> None:
    """Import what every check needs, before the first fork."""
    import autodiff  # noqa: F401
    import verify.check  # noqa: F401


def find(text: str, log: str, limit: float | None) -> list[Item] | LoadError:
    """The items of a target; an error is returned, not raised, since it is an expected result."""
    with _logged(log, limit):
        try:
            return discover(text)
        except LoadError as error:
            error.__cause__ = None  # the user's exception may not pickle
            return error


def run(
    item: Item,
    checker: str,
    companions: dict[str, str],
    options: dict[str, Any],
    log: str,
    limit: float | None,
    folder: str | None = None,
) -> bytes:
    """Check one item; the pickled `Report`, or the pickled `LoadError`.

    Where there is a `folder` of earlier results, a result that still holds is taken from it.

    Pickled here, and made of plain arrays first: an object of the user's own class inside could
    be loaded only where the user's module is imported, which the parent never does.
    """
    started = time.perf_counter()
    with _logged(log, limit):
        loaded = _load(item, companions)
        if isinstance(loaded, LoadError):
            return pickle.dumps(loaded)
        options = {**options, **loaded.options}
        cache = None if folder is None else Cache(folder)
        keys = _keys(item, checker, loaded.subject, options) if cache else None
        known = _known(cache, keys, item)
        result = known or _check(item, checker, loaded.subject, options)
    if isinstance(result, Report):
        result.printed = result.printed or tail(log)
        result.seconds = (not known and result.seconds) or time.perf_counter() - started
        _simplify(result)
        if cache and keys:
            cache.put(keys[result.verdict is not Verdict.PROVED], result)
    return pickle.dumps(result)


def check_here(
    item: Item, checker: str, companions: dict[str, str], options: dict[str, Any]
) -> Report | LoadError:
    """The same in this process, where a debugger sees it; always anew."""
    loaded = _load(item, companions)
    if isinstance(loaded, LoadError):
        return loaded
    return _check(item, checker, loaded.subject, {**options, **loaded.options})


def _load(item: Item, companions: dict[str, str]) -> Loaded | LoadError:
    """The subject, its derivatives among its options."""
    try:
        loaded = load(item.target)
        derivatives = {key: load_companion(t, item.target) for key, t in companions.items()}
    except LoadError as error:
        error.__cause__ = None
        return error
    return replace(loaded, options={**loaded.options, **derivatives})


def _keys(
    item: Item, checker: str, subject: Any, options: dict[str, Any]
) -> tuple[str, str] | None:
    """The names under which a proof and any other result is kept; None where there can be none.

    A proof holds wherever the code stands.  Other reports name lines, of a step that is wrong or
    that could not be traced, and hold for as long as these stay where they are.
    """
    roots = (item.target, checker, subject, options)
    try:
        return fingerprint(*roots), fingerprint(*roots, lines=True)
    except Unknown:
        return None


def _known(cache: Cache | None, keys: tuple[str, str] | None, item: Item) -> Report | None:
    if cache is None or keys is None:
        return None
    report = cache.get(keys[0])
    if report is not None:
        report.location = item.location
    return report or cache.get(keys[1])


def _check(item: Item, checker: str, subject: Any, options: dict[str, Any]) -> Report | LoadError:
    check = load(checker).subject
    try:
        report = check(subject, **options)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if _refused(error):
            return LoadError(item.target, str(error), item.location)
        report = _failed(error)
    report.name = item.target
    place = report.location or item.location
    report.location = place and (shorten(place[0]), place[1])
    if report.snippet:
        # to be run where the command was, like the command that is printed above it
        report.snippet = report.snippet.replace(os.getcwd() + os.sep, "")
    return report


def _refused(error: BaseException) -> bool:
    """Whether the check itself turned down what it was given, before it began."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, TypeError | ValueError) and frames[-1].filename.endswith(
        (os.path.join("verify", "check.py"), os.path.join("verify", "subject.py"))
    )


def _failed(error: BaseException) -> Report:
    """An exception that the check let through: a fault of its own, more likely than the user's."""
    last = traceback.format_exception_only(error)[-1].strip()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Report(
        name="",
        verdict=Verdict.UNDECIDED,
        reason=f"the check ended with {last}, in {shorten(frame.filename)}:{frame.lineno}",
        notes=["".join(traceback.format_exception(error)).strip()],
    )


def _simplify(report: Report) -> None:
    """Replace what only the user's module could load: subclasses, objects, functions."""
    import numpy as np

    def simple(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype != object:
            return np.array(value)  # neither a subclass nor a view of something large
        if isinstance(value, tuple):
            return tuple(simple(item) for item in value)
        return value if isinstance(value, np.generic) else plain(value)

    found = report.counterexample
    if found is not None:
        object.__setattr__(found, "inputs", {k: simple(v) for k, v in found.inputs.items()})
        object.__setattr__(found, "grad_output", simple(found.grad_output))
    for name in ("derivative", "diagnosis", "repair", "snippet", "scope", "worst", "reason"):
        value = getattr(report, name)
        setattr(report, name, None if value is None else str(value))


def tail(log: str) -> str | None:
    """The last lines of a log, or None if nothing was printed.

    Of a traceback that a crash or a hang left there, what is above this module stays.
    """
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    lines: list[str] = []
    below = False
    for line in text.splitlines():
        if "(most recent call first):" in line:
            below = False
        elif below and line.startswith("  File "):
            continue
        elif line.startswith("  File ") and __file__ in line:
            below = True
            continue
        if line.strip() and not line.startswith("Extension modules: "):
            lines.append(line)
    more = len(lines) - PRINTED_LINES
    kept = [line[:400] for line in lines[-PRINTED_LINES:]]
    return "\n".join(([f"... {more} lines before"] if more > 0 else []) + kept) or None


@contextlib.contextmanager
def _logged(log: str, limit: float | None) -> Iterator[None]:
    """Send everything that is printed to a file, tracebacks of a crash or a hang included."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with contextlib.suppress(OSError):
        os.dup2(handle, 1)
        os.dup2(handle, 2)
    faulthandler.enable(handle)
    if limit is not None:
        faulthandler.dump_traceback_later(max(limit - MARGIN, 0.05), file=handle)
    try:
        with warnings.catch_warnings():
            # overflow at a point where it is looked for is no news
            warnings.simplefilter("ignore")
            yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        faulthandler.disable()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os.close(handle)
