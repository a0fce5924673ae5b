"""A sweep on a Dask cluster that runs already: ``gradproof --backend dask --scheduler ADDRESS``.

Each check is a task; on the machine that gets it, it runs in a process of its own, as it does
without a cluster, so that code that hangs or crashes costs one result there too, not a worker. A
worker that is lost costs nothing: Dask gives its tasks to others, and each start of a task is an
event, so that the report can say what was begun twice.

`distributed` is used as it is and not through joblib. Joblib's Dask backend streams results too
(``return_as="generator_unordered"``), and Dask repeats what a lost worker had begun; but a sweep is
one call there. A check that takes several workers down, one after the other, has no result: joblib
1.6 then waits for ever, where a future of its own says so and the other checks go on; and no single
check can be cancelled. On one machine joblib's processes are one pool that a crash ends as a whole.

The workers load the code under test themselves: they need the same files in the same places, and
gradproof.

May import: :mod:`verify.sweep` and what it imports; `distributed`, when used.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import pickle
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from verify.load import Item, LoadError

if TYPE_CHECKING:
    from verify.sweep import Plan

__all__ = ["Cluster", "ClusterError"]

_PATIENCE = 10.0  # seconds for the scheduler to answer


class ClusterError(Exception):
    """A cluster that cannot be used, and what to do about it."""


class Cluster:
    """The workers of a scheduler, as a place to run checks; a context manager.

    Parameters
    ----------
    scheduler : str
        Its address, as ``tcp://host:8786``.

    Raises
    ------
    ClusterError
        If `distributed` is not installed, or nothing answers there.
    """

    def __init__(self, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterError(
                f"--backend dask needs Dask: pip install 'gradproof[dask]' ({error})"
            ) from None
        try:
            self._client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"no Dask scheduler answers at {scheduler!r} ({error or type(error).__name__}); "
                "an address looks like tcp://host:8786"
            ) from None
        self._topic = f"gradproof-{uuid.uuid4().hex}"
        self._starts: Counter[str] = Counter()
        self._client.subscribe_topic(self._topic, self._started)
        # Not pure: the code under test may have changed since a task of the same name ran.
        self._executor = self._client.get_executor(pure=False)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=False)
        self._client.close(timeout=_PATIENCE)

    def submit(self, item: Item, plan: Plan) -> concurrent.futures.Future:
        """Have one item checked; the future gives the pickled `Report` or `LoadError`."""
        return self._executor.submit(_check, item, _task(plan), os.getcwd(), self._topic)

    def starts(self, item: Item) -> int:
        """How many times the check of an item was begun."""
        return self._starts[item.target]

    async def _started(self, event: tuple[float, str]) -> None:
        self._starts[event[1]] += 1


def lost(error: BaseException) -> str | None:
    """What to say of a check that Dask gave up; None for any other error."""
    if type(error).__name__ == "KilledWorker":
        return "each worker that ran it was lost (out of memory?), and Dask gave up"
    if isinstance(error, concurrent.futures.CancelledError):
        return "the Dask scheduler dropped it, or was lost itself"
    return None


def _task(plan: Plan) -> dict[str, Any]:
    """What a worker has to know; the selection was made here."""
    return {
        "options": plan.options,
        "companions": plan.companions,
        "timeout": plan.timeout,
        "cache": plan.cache,
    }


def _check(item: Item, task: dict[str, Any], folder: str, topic: str) -> bytes:
    """On a worker of the cluster: a sweep of one."""
    from distributed import get_worker

    from verify.sweep import Plan, Sweep

    get_worker().log_event(topic, item.target)
    if os.path.isdir(folder):  # targets and reports name files as seen from there
        os.chdir(folder)
    # Dask marks its workers as daemons, which may have no children. Ours end with them: they
    # notice when the other end of their pipe is gone.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    with Sweep(Plan(targets=(item.target,), jobs=1, **task)) as sweep:
        found = list(sweep.results())
    result = found[0] if found else LoadError(item.target, "the worker found nothing by this name")
    return pickle.dumps(result)
