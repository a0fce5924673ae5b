"""Many checks at once, each in a process that may hang or die without taking the rest along.

The parent imports no user code.  It hands out the text of targets and gets back plain data;
results come in the order of completion and are given out in the order of the source.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from verify import worker
from verify.cluster import Cluster, lost
from verify.load import Item, LoadError, parse, shorten
from verify.verdict import Report, Verdict

CHECKER = "verify.check:check"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)


@dataclass
class Plan:
    """What to check and how.

    Parameters
    ----------
    targets : sequence of str
        As typed; ``""`` stands for every built-in Function.
    options : dict
        Options of `check` that every subject gets.
    companions : dict
        ``grad``, ``vjp`` or ``jac``: the target of the derivative.
    select : callable, optional
        Whether to check what has this name.
    ignore : callable, optional
        Why what has this name is not checked, or None; for what was not asked for by its name.
    jobs : int, optional
        Processes; as many as there are processors if missing, and 0 for none: everything runs in
        this process, where a debugger sees it.
    timeout : float, optional
        Seconds that one check is given; one that ignores it is killed a little later.
    cache : str, optional
        The directory of earlier results; without it, and in this process, all is checked anew.
    scheduler : str, optional
        The address of a Dask scheduler whose workers do the checks; targets are loaded here to
        see what is in them.
    """

    targets: Sequence[str]
    options: dict[str, Any] = field(default_factory=dict)
    companions: dict[str, str] = field(default_factory=dict)
    select: Callable[[str], bool] | None = None
    ignore: Callable[[str], str | None] | None = None
    jobs: int | None = None
    timeout: float | None = None
    cache: str | None = None
    scheduler: str | None = None

    @property
    def limit(self) -> float | None:
        """Seconds after which a task is killed: its time, and some to come to an end by itself."""
        return None if self.timeout is None else self.timeout * 1.25 + 2


Result = Report | LoadError


class Sweep:
    """Runs a `Plan`; a context manager, so that no process outlives it.

    Attributes
    ----------
    done, total : int
        Checks finished, and known so far.
    ignored : dict of str to str
        What is not checked, and why.
    retried : list of str
        What was checked again because the worker of the cluster that ran it was lost.

    Raises
    ------
    ClusterError
        When it is entered and the cluster cannot be used.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.done = 0
        self.total = 0
        self.ignored: dict[str, str] = {}
        self.retried: list[str] = []
        self.seen: set[str] = set()
        self._items: list[list[Item] | None] = [None] * len(plan.targets)
        self._results: dict[tuple[int, int], Result] = {}
        self._given: set[tuple[int, int]] = set()
        self._tasks: dict[concurrent.futures.Future, tuple[int, int, Item | None, str]] = {}
        self._logs = ""
        self._count = 0
        self._pool: ProcessPool | None = None
        self._cluster: Cluster | None = None

    def __enter__(self) -> Sweep:
        if self.plan.scheduler is not None:
            self._cluster = Cluster(self.plan.scheduler)
        self._logs = tempfile.mkdtemp(prefix="gradproof-")
        if self.plan.jobs != 0:
            jobs = self.plan.jobs or processors()
            if all(parse(target).name for target in self.plan.targets):
                jobs = min(jobs, len(self.plan.targets))  # more have nothing to do
            self._pool = _pool(jobs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            for task in self._tasks:
                task.cancel()
            self._pool.stop()
            self._pool.join()
        if self._cluster is not None:
            self._cluster.__exit__()
        shutil.rmtree(self._logs, ignore_errors=True)

    def find(self) -> Iterator[Item | LoadError]:
        """What there is to check, and the targets that cannot be loaded, in order."""
        if self._pool is None:
            for place in range(len(self.plan.targets)):
                yield from self._find_here(place)
            return
        for place, text in enumerate(self.plan.targets):
            self._schedule_find(place, text)
        for place in range(len(self.plan.targets)):
            while self._items[place] is None:
                self._wait(check=False)
            yield from self._found(place)

    def results(self, tick: Callable[[], None] = lambda: None) -> Iterator[Result]:
        """The results in the order of the source, each as soon as those before it are known.

        Parameters
        ----------
        tick : callable
            Called several times a second, to draw progress.
        """
        if self._pool is None:
            yield from self._results_here(tick)
            return
        for place, text in enumerate(self.plan.targets):
            self._schedule_find(place, text)
        for place in range(len(self.plan.targets)):
            while self._items[place] is None:
                self._wait()
                tick()
            if (place, -1) in self._results:
                self._given.add((place, -1))
                yield self._results[place, -1]
            for index in range(len(self._items[place] or ())):
                while (place, index) not in self._results:
                    self._wait()
                    tick()
                self._given.add((place, index))
                yield self._results[place, index]

    def rest(self) -> list[Result]:
        """What is known and was not given out yet, for an end before the end."""
        return [r for key, r in sorted(self._results.items(), key=_key) if key not in self._given]

    def running(self) -> list[str]:
        """The names of what is being checked now."""
        return [i.target for f, (_, _, i, _) in self._tasks.items() if i and f.running()]

    # -- in this process ------------------------------------------------------------------------

    def _find_here(self, place: int) -> list[Item | LoadError]:
        try:
            self._items[place] = self._chosen(place, worker.discover(self.plan.targets[place]))
        except LoadError as error:
            self._items[place] = []
            self._results[place, -1] = error
        return self._found(place)

    def _results_here(self, tick: Callable[[], None]) -> Iterator[Result]:
        plan = self.plan
        for place in range(len(plan.targets)):
            for found in self._find_here(place):
                tick()
                if isinstance(found, LoadError):
                    yield found
                else:
                    result = worker.check_here(found, CHECKER, plan.companions, plan.options)
                    self.done += 1
                    yield result

    # -- in others ------------------------------------------------------------------------------

    def _log(self) -> str:
        self._count += 1
        return str(Path(self._logs) / f"{self._count}.log")

    def _schedule(self, function: Any, *args: Any) -> concurrent.futures.Future:
        assert self._pool is not None
        return self._pool.schedule(function, args=args, timeout=self.plan.limit)

    def _schedule_find(self, place: int, text: str) -> None:
        log = self._log()
        task = self._schedule(worker.find, text, log, self.plan.limit)
        self._tasks[task] = (place, -1, None, log)

    def _schedule_checks(self, place: int) -> None:
        plan = self.plan
        for index, item in enumerate(self._items[place] or ()):
            log = self._log()
            if self._cluster is not None:
                self._tasks[self._cluster.submit(item, plan)] = (place, index, item, log)
                continue
            task = self._schedule(
                worker.run,
                item,
                CHECKER,
                plan.companions,
                plan.options,
                log,
                plan.limit,
                plan.cache,
            )
            self._tasks[task] = (place, index, item, log)

    def _wait(self, check: bool = True) -> None:
        finished, _ = concurrent.futures.wait(
            self._tasks, timeout=0.1, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for task in finished:
            place, index, item, log = self._tasks.pop(task)
            if item is None:
                self._take_items(place, task, log)
                if check:
                    self._schedule_checks(place)
            else:
                self._results[place, index] = self._noted(item, self._outcome(item, task, log))
                self.done += 1

    def _take_items(self, place: int, task: concurrent.futures.Future, log: str) -> None:
        text = self.plan.targets[place] or "the built-in Functions"
        try:
            found = task.result()
        except concurrent.futures.TimeoutError:
            message = f"importing it did not end within {self.plan.limit:.0f} s"
            found = LoadError(text, message, _last_frame(log))
        except ProcessExpired as error:
            found = LoadError(text, f"importing it {_death(error)}", _last_frame(log))
        except Exception as error:
            found = LoadError(text, f"{type(error).__name__}: {error}")
        if isinstance(found, LoadError):
            self._items[place] = []
            self._results[place, -1] = found
        else:
            self._items[place] = self._chosen(place, found)

    def _outcome(self, item: Item, task: concurrent.futures.Future, log: str) -> Result:
        try:
            return pickle.loads(task.result())
        except concurrent.futures.TimeoutError:
            reason = f"it did not end within {self.plan.limit:.0f} s and was stopped"
            seconds = self.plan.limit or 0.0
        except ProcessExpired as error:
            reason, seconds = f"the code under test {_death(error)}", 0.0
        except Exception as error:
            reason = lost(error) or (
                f"its result could not be read: {type(error).__name__}: {error}"
            )
            seconds = 0.0
        frame = _last_frame(log)
        if frame is not None:
            reason += f", in {frame[0]}:{frame[1]}"
        return Report(
            name=item.target,
            verdict=Verdict.UNDECIDED,
            reason=reason,
            seconds=seconds,
            location=frame or item.location,
            printed=worker.tail(log),
        )

    def _noted(self, item: Item, result: Result) -> Result:
        """The result, with a note where it took more than one worker of a cluster."""
        starts = self._cluster.starts(item) if self._cluster is not None else 0
        if starts > 1:
            self.retried.append(item.target)
            if isinstance(result, Report):
                result.notes.append(f"begun {starts} times: a worker of the cluster was lost")
        return result

    def _chosen(self, place: int, items: Sequence[Item]) -> list[Item]:
        plan = self.plan
        by_name = bool(parse(plan.targets[place]).name)
        chosen = []
        for item in items:
            name = item.target
            if name in self.seen or (plan.select is not None and not plan.select(name)):
                continue
            reason = None if by_name or plan.ignore is None else plan.ignore(name)
            if reason is not None:
                self.ignored[name] = reason
                continue
            self.ignored.pop(name, None)
            self.seen.add(name)
            chosen.append(item)
        self.total += len(chosen)
        return chosen

    def _found(self, place: int) -> list[Item | LoadError]:
        error = self._results.get((place, -1))
        found: list[Item | LoadError] = [error] if isinstance(error, LoadError) else []
        return found + list(self._items[place] or ())


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _pool(jobs: int) -> ProcessPool:
    for name in _THREADS:
        # one thread in each of several processes; small arrays gain nothing from more
        os.environ.setdefault(name, "1")
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["verify.preload"])
    return ProcessPool(max_workers=jobs, context=context)


def _death(error: ProcessExpired) -> str:
    code = error.exitcode
    if code is None:
        return "ended the process"
    if code >= 0:
        return f"ended the process with exit status {code}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"crashed the process with {name}{hint}"
    return f"crashed the process with signal {-code}"


def _last_frame(log: str) -> tuple[str, int] | None:
    """Where the last traceback in the log was; outside of the libraries if it can be."""
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    _, found, frames = text.rpartition("(most recent call first):")
    if not found:
        return None
    ours = str(Path(__file__).parent.parent) + os.sep
    libraries = tuple({sys.prefix, sys.base_prefix, *map(str, _site_packages())})
    places = [(m["file"], int(m["line"])) for m in _FRAME.finditer(frames)]
    for file, line in places:
        user = not file.startswith((*libraries, "<")) and not (
            file.startswith((f"{ours}verify{os.sep}", f"{ours}symbolic{os.sep}"))
        )
        if user:
            return shorten(file), line
    return (shorten(places[0][0]), places[0][1]) if places else None


def _site_packages() -> list[Path]:
    import sysconfig

    return [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")]


def _key(entry: tuple[tuple[int, int], Result]) -> tuple[int, int]:
    return entry[0]
