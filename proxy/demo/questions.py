"""Asking the sidecar over plain HTTP, as a pod would, and timing it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how long it took."""

    status: int
    body: Any = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    took_s: float

    @property
    def degraded(self) -> str | None:
        """The `BSS-Degraded` header: `<reason>;unavailable=<n>`."""
        return self.headers.get("bss-degraded")

    @property
    def cached(self) -> str:
        """The `Cache-Status` header (RFC 9211)."""
        return self.headers.get("cache-status", "")


class Pod:
    """Stands where Pedkai's pod stands. Remembers how long each question took."""

    def __init__(self, session: aiohttp.ClientSession, data_url: str) -> None:
        self._session = session
        self._url = data_url
        self.singles: list[float] = []
        self.batches: list[float] = []

    async def revenue(self, tenant: str, customers: Sequence[UUID]) -> Reply:
        body = {"customer_ids": [str(one) for one in customers]}
        reply = await self._ask("POST", "/v1/revenue-at-risk", tenant, body)
        self.batches.append(reply.took_s)
        return reply

    async def account(self, tenant: str, customer: UUID) -> Reply:
        path = f"/v1/customers/{customer}/billing-account"
        reply = await self._ask("GET", path, tenant)
        self.singles.append(reply.took_s)
        return reply

    async def disputes(self, tenant: str, customers: Sequence[UUID]) -> Reply:
        body = {"customer_ids": [str(one) for one in customers]}
        reply = await self._ask("POST", "/v1/disputes", tenant, body)
        self.batches.append(reply.took_s)
        return reply

    async def forget(self, tenant: str, customer: UUID) -> Reply:
        """It changes state, so it needs the content type."""
        return await self._ask("DELETE", f"/v1/customers/{customer}/cache", tenant, {})

    async def _ask(
        self, method: str, path: str, tenant: str, body: dict[str, Any] | None = None
    ) -> Reply:
        clock = asyncio.get_running_loop().time
        began = clock()
        headers = {"X-Tenant-ID": tenant}
        async with self._session.request(
            method, self._url + path, json=body, headers=headers
        ) as answer:
            content = await answer.json(content_type=None)
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, content, names, clock() - began)
