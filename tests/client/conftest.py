"""The tests of the client alone run on its oldest Python too, where the sidecar does not."""

import sys

import pytest

collect_ignore = [] if sys.version_info >= (3, 11) else ["test_whole_sidecar.py", "test_package.py"]


@pytest.fixture(autouse=True)
def _no_sidecar_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BSS_SIDECAR_URL", "BSS_SIDECAR_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
