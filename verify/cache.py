"""Results that are known already: what CI need not check again.

An entry is one file, named by the `fingerprint` of all that the result depends on.  It is written
beside its place and moved there, so two runs that share a directory never see half of one; its
checksum is compared, so a damaged one is a check made anew, and so is one that cannot be read.

Why not a library: `joblib.Memory` keys by the text of one function; `diskcache` keeps everything in
one database, in which one damaged page costs all entries, and unpickles whatever is there.  Here,
only what a `Report` is made of can be read back: a directory that somebody else can write to may
hold a wrong verdict, but no code.

`undecided` is never kept: more time, or a faster machine, may decide.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from verify.verdict import Report, Verdict

FORMAT = "1"
KEPT_DAYS = 30  # since an entry was last used
_CLASSES = {
    "verify.verdict": {"Report", "Verdict", "Finding", "Counterexample", "Entry", "Region", "Cut"},
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
    "builtins": {"complex"},
}


def directory() -> Path:
    """Where results are kept unless the user says otherwise.

    ``$GRADPROOF_CACHE_DIR``, or what the system calls the user's cache.
    """
    import platformdirs

    named = os.environ.get("GRADPROOF_CACHE_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("gradproof", appauthor=False))


class Cache:
    """The results of earlier checks in a directory, which is made when the first is kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cache = Cache(folder)
    ...     cache.put("ab12", Report("f", Verdict.PROVED))
    ...     report = cache.get("ab12")
    >>> report.verdict.value, report.cached
    ('proved', True)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder) / FORMAT

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def get(self, key: str) -> Report | None:
        """The report that was kept under this key, marked as such; None where there is none."""
        path = self._path(key)
        try:
            checksum, data = path.read_bytes().split(b"\n", 1)
            if checksum != _checksum(key, data):
                return None
            report = _Reader(io.BytesIO(data)).load()
        except Exception:  # whatever is wrong with an entry: check again
            return None
        if not isinstance(report, Report):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return replace(report, cached=True)

    def put(self, key: str, report: Report) -> None:
        """Keep a report, of plain data only, unless it decided nothing; a full disk is no error."""
        if report.verdict is Verdict.UNDECIDED or report.cached:
            return
        path = self._path(key)
        data = pickle.dumps(report, protocol=5)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_checksum(key, data) + b"\n" + data)
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    def prune(self, days: float = KEPT_DAYS) -> int:
        """Remove what was not used for so many days; how many entries that were."""
        oldest = time.time() - days * 86400
        removed = 0
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):  # another run may have been faster
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed


class _Reader(pickle.Unpickler):
    """Reads what reports are made of and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if name in _CLASSES.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a report")


def _checksum(key: str, data: bytes) -> bytes:
    # the key is in it: an entry that was moved to another place says nothing there
    return hashlib.sha256(key.encode() + data).hexdigest().encode()
