from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.page.chromium import Browser, chromium, executable
from tests.servers.sidecar import Demonstration, demonstration
from tests.servers.vendors import Setup

HERE = Path(__file__).parent
REBOUND = "--host-resolver-rules=MAP evil.test 127.0.0.1"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="no Chromium here (Debian: apt install chromium)")
    for item in items:
        if item.path.is_relative_to(HERE) and executable() is None:
            item.add_marker(absent)


@pytest.fixture
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: npm ci --prefix tests/page, as make test does")
    return AXE.read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests; each tab is of a context of its own. `evil.test` is this machine."""
    async with chromium(REBOUND) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path) -> AsyncIterator[Demonstration]:
    """One vendor over mutual TLS and OAuth2, the local database, the mock; no cache."""
    async with demonstration(tmp_path, setups={"amdocs": Setup(shape="amdocs")}) as made:
        yield made
