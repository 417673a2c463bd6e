"""One sidecar for all that is thrown at it; `FUZZ=full` throws thousands."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.fuzz.target import Target, target

IS_FULL = os.environ.get("FUZZ") == "full"  # noqa: TID251  (a test knob)


@pytest.fixture(scope="session")
def plenty() -> int:
    """How many times as much as in every run."""
    return 20 if IS_FULL else 1


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Target]]:
    """`open`, behind a `token`, or behind a token and a unix `socket`; each is started once."""
    with ExitStack() as stack:

        @cache
        def started(kind: str) -> Target:
            made = target(
                tmp_path_factory.mktemp(kind), token=kind != "open", unix_socket=kind == "socket"
            )
            return stack.enter_context(made)

        yield started


@pytest.fixture
def victim(request: pytest.FixtureRequest, victims: Callable[[str], Target]) -> Target:
    return victims(request.param)
