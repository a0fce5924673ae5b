"""Imported by the forkserver, once, so that each worker starts with everything imported."""

import contextlib

with contextlib.suppress(ImportError):  # a worker that needs it will say what is missing
    from verify import worker

    worker.warm()
