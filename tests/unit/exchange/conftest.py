import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from adapters.exchange import Api
from config import settings
from proxy.exchange.transport import Transport, open_session
from proxy.exchange.wire import Address, Authorization, Wire

MakeWire = Callable[..., Wire]


class CountingThreads(ThreadPoolExecutor):
    submitted = 0

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(*args, **kwargs)


@pytest.fixture
def parsing() -> Iterator[CountingThreads]:
    with CountingThreads(1) as threads:
        yield threads


@pytest.fixture
async def make_wire(parsing: CountingThreads) -> AsyncIterator[MakeWire]:
    """A wire to an origin, below `/tmf/`, over plain HTTP."""
    setting = settings.Wire.model_validate({"connect_timeout": "5s"})
    session = open_session(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), setting)

    def make(
        origin: str,
        *,
        timeout_s: float = 10.0,
        body_bytes: int = 64 * 1024,
        authorization: Authorization | None = None,
        **address: Any,
    ) -> Wire:
        return Wire(
            Transport(session, timeout_s=timeout_s),
            Address(**{"apis": dict.fromkeys(Api, f"{origin}/tmf/")} | address),
            body_bytes=body_bytes,
            parsing=parsing,
            authorization=authorization,
        )

    yield make
    await session.close()
