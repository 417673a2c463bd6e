"""One question to the sidecar: split, sent side by side, read, within its deadline."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pedkai_bss_client.context import Context
from pedkai_bss_client.failure import CLIENT_ERROR, SIDECAR_TIMEOUT, Failure
from pedkai_bss_client.merging import Part
from pedkai_bss_client.question import MOST_IDS, Question, parts, told_ms
from pedkai_bss_client.reading import Reply, degraded
from pedkai_bss_client.together import gone, side_by_side
from pedkai_bss_client.token_file import TokenFile

T = TypeVar("T")

AT_ONCE = 32
"""Requests in flight for one question at most."""
LEAVING_S = 1.0
"""How long closing waits for questions that were cut short."""
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "pedkai-bss-client",
}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One of the three questions."""

    name: str
    put: Callable[[Sequence[UUID]], Question]
    read: Callable[[Reply, Sequence[UUID]], T | Failure]


@dataclass(frozen=True)
class Asking:
    """What all parts of one question share."""

    context: Context
    timeout_s: float
    deadline: float
    """On the event loop's clock."""


class Wire(Protocol):
    """Carries questions to the sidecar. Whatever goes wrong is a `Failure`."""

    async def ask(self, question: Question, headers: Mapping[str, str]) -> Reply | Failure:
        """Takes as long as it takes: the caller cancels."""

    async def aclose(self) -> None:
        """Closes the connections of this event loop."""


class Asker:
    """Puts questions. It does not raise, and is back by the deadline."""

    def __init__(self, wire: Wire, token: TokenFile | None) -> None:
        self._wire = wire
        self._token = token
        self._most = MOST_IDS

    async def aclose(self) -> None:
        await gone(within_s=LEAVING_S)
        await self._wire.aclose()

    async def parts(self, asking: Asking, ids: Sequence[UUID], kind: Kind[T]) -> list[Part[T]]:
        """What became of each part, in the order asked."""
        if not asking.context.tenant_is_valid:
            return [Part(ids, Failure(CLIENT_ERROR, detail="this is no tenant id"))]
        chunks = list(parts(ids, self._most))

        async def ask(place: int, chunk: Sequence[UUID]) -> tuple[int, list[Part[T]]]:
            return place, await self._chunk(asking, chunk, kind, of=len(chunks))

        ended = await side_by_side(
            (partial(ask, place, chunk) for place, chunk in enumerate(chunks)),
            at_once=min(len(chunks), AT_ONCE),
            deadline=asking.deadline,
        )
        answered = dict(ended)
        late = Failure(SIDECAR_TIMEOUT, detail=f"nothing within {asking.timeout_s:g} s")
        return [
            part
            for place, chunk in enumerate(chunks)
            for part in answered.get(place, [Part(chunk, late)])
        ]

    async def _chunk(
        self, asking: Asking, ids: Sequence[UUID], kind: Kind[T], *, of: int
    ) -> list[Part[T]]:
        """A sidecar that lets in fewer customers at once says so, and gets them in halves."""
        part = await self._part(asking, ids, kind, of=of)
        if len(ids) < 2 or not isinstance(part.outcome, Failure) or not part.outcome.too_large:
            return [part]
        half = (len(ids) + 1) // 2
        self._most = min(self._most, half)
        return [
            *await self._chunk(asking, ids[:half], kind, of=of),
            *await self._chunk(asking, ids[half:], kind, of=of),
        ]

    async def _part(
        self, asking: Asking, ids: Sequence[UUID], kind: Kind[T], *, of: int
    ) -> Part[T]:
        reply = await self._reply(asking, kind.put(ids), of=of)
        if isinstance(reply, Failure):
            return Part(ids, reply)
        outcome = kind.read(reply, ids)
        if isinstance(outcome, Failure):
            return Part(ids, self._explained(reply, outcome))
        return Part(ids, outcome, degraded(reply))

    async def _reply(self, asking: Asking, question: Question, *, of: int) -> Reply | Failure:
        """With the token of the file. While it rotates, either side may be the first to know."""
        token = self._token.current() if self._token else None
        reply = await self._wire.ask(question, _headers(asking, question, token, of=of))
        if self._token is None or isinstance(reply, Failure) or reply.status != 401:
            return reply
        others = (
            one for one in (self._token.anew(), self._token.former) if one not in (None, token)
        )
        other = next(others, None)
        if other is None:
            return reply
        return await self._wire.ask(question, _headers(asking, question, other, of=of))

    def _explained(self, reply: Reply, failure: Failure) -> Failure:
        if reply.status != 401:
            return failure
        why = self._token.problem if self._token else "no token file is configured"
        return replace(failure, detail=f"{failure.detail}; {why}") if why else failure


def _headers(asking: Asking, question: Question, token: str | None, *, of: int) -> dict[str, str]:
    remaining_s = asking.deadline - asyncio.get_running_loop().time()
    headers = {
        **_HEADERS,
        "X-Correlation-ID": asking.context.correlation_id,
        "X-Request-Timeout-Ms": str(told_ms(asking.timeout_s, remaining_s, of)),
    }
    if asking.context.tenant is not None:
        headers["X-Tenant-ID"] = asking.context.tenant
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if question.body is not None:
        headers["Content-Type"] = "application/json"
    return headers
