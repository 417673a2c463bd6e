from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.simulator.certificates import Authority
from proxy.lifecycle import Tasks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create(now=NOW)


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """`ca.pem`, `client.pem`, `client.key`."""
    authority.write(tmp_path)
    authority.issue_client("sidecar").write(tmp_path, "client")
    return tmp_path


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    lost: list[BaseException] = []
    one = Tasks(lost.append)
    yield one
    await one.cancel()
    assert lost == []
