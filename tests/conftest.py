"""What holds for all tests."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """No test sees, or leaves, results among those of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADPROOF_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield
