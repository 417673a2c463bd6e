"""The ways in which a vendor fails: one small class each, with typed knobs, and a name.

A fault stands around the answering of one request (`around`), or in front of the listening socket
(`listening`). To add one: write the class, and put it into `FAULTS`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt

from adapters.simulator.answering import PAGING, Question
from adapters.simulator.bodies import GARBAGE, GarbageKind, bomb, fault_object
from adapters.simulator.reply import Drip, Part, Reply, as_json, html

Listening: TypeAlias = Literal["serving", "refusing", "silent"]
Where: TypeAlias = Literal["api", "token", "all"]
Answer: TypeAlias = Callable[[Question], Awaitable[Reply]]

_PAGES = (200, 206)


class NeverAnswered(Exception):  # noqa: N818  (what the vendor does, not an error of ours)
    """The connection is to be dropped without a reply."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and the moment at which the faults in force are changed."""

    question: Question
    changed: asyncio.Event


class Fault(BaseModel):
    """A way to fail. The knobs here are common to all."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    listening: ClassVar[Listening] = "serving"

    where: Where = "api"
    """Which requests meet it: those for data, those for tokens, or both."""
    share: float = Field(default=1.0, ge=0, le=1)
    """The part of those requests that meets it, by chance."""
    times: int | None = Field(default=None, ge=1)
    """How many requests meet it before it is over; `None`: it stays."""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        """The reply, with this fault; `answer` gives it without."""
        return await answer(visit.question)


class Latency(Fault):
    """The vendor thinks before it answers."""

    name = "latency"
    delay_s: NonNegativeFloat = 0.3
    jitter_s: NonNegativeFloat = 0.0
    """Added to the delay, evenly spread from nothing to this."""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        await asyncio.sleep(self.delay_s + random.random() * self.jitter_s)
        return await answer(visit.question)


class Hang(Fault):
    """The vendor accepts, reads the request, and never answers: looks alive, never ends."""

    name = "hang"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        await visit.changed.wait()
        raise NeverAnswered


class Refuse(Fault):
    """Nobody listens: connections are refused, and those that were open are reset."""

    name = "refuse"
    listening = "refusing"


class HangConnect(Fault):
    """Connections are accepted, and then not a byte: the TLS handshake never ends."""

    name = "hang_connect"
    listening = "silent"


class Garbage(Fault):
    """A reply that is none, with status 200."""

    name = "garbage"
    kind: GarbageKind = "html"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        return GARBAGE[self.kind](await answer(visit.question))


class Status(Fault):
    """The gateway in front of the vendor answers by itself."""

    name = "status"
    status: int = Field(default=503, ge=400, le=599)
    retry_after: str | None = None
    """Seconds, or an HTTP date."""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return replace(html(self.status, "Service Trouble"), headers=headers)


class TooMany(Fault):
    """The vendor limits its callers: 429."""

    name = "too_many"
    retry_after: str | None = "2"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return as_json(429, {"code": "429", "message": "Rate limit exceeded"}, headers)


class Reset(Fault):
    """The connection is reset in the middle of the body, or of the head."""

    name = "reset"
    after_bytes: NonNegativeInt = 1
    """Of that part."""
    part: Part = "body"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        return replace(reply, cut_after=self.after_bytes, part=self.part)


class SlowDrip(Fault):
    """The body, or all from the head on, comes in drops: never silent, and never done in time."""

    name = "drip"
    piece_bytes: int = Field(default=8, ge=1)
    pause_s: NonNegativeFloat = 0.1
    part: Part = "body"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        drip = Drip(self.piece_bytes, self.pause_s)
        return replace(await answer(visit.question), drip=drip, part=self.part)


class GzipBomb(Fault):
    """A few kilobytes that become many megabytes."""

    name = "gzip_bomb"
    size_bytes: int = Field(default=64 * 1024 * 1024, ge=1, le=1024**3)
    """Of the JSON, once decompressed."""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        return Reply(status=200, body=bomb(self.size_bytes), headers={"Content-Encoding": "gzip"})


class Redirect(Fault):
    """The vendor sends its caller elsewhere."""

    name = "redirect"
    status: Literal[301, 302, 303, 307, 308] = 302
    location: str = "https://elsewhere.example/login"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        return Reply(status=self.status, headers={"Location": self.location})


class NextElsewhere(Fault):
    """Every page has a next one, at an address that must not be followed."""

    name = "next_elsewhere"
    link: str = "https://elsewhere.example/product?offset=1"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        if reply.status not in _PAGES:
            return reply
        headers = {**reply.headers, "Link": f'<{self.link}>; rel="next"', "X-Total-Count": "9999"}
        return replace(reply, status=206, headers=headers)


class SamePageForEver(Fault):
    """Every page has a next one, which is itself."""

    name = "same_page"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        if reply.status not in _PAGES:
            return reply
        headers = {**reply.headers, "Link": f'<{visit.question.path}>; rel="next"'}
        return replace(reply, status=206, headers=headers)


class IgnoredFilter(Fault):
    """The vendor no longer knows its filters, and answers with everybody's rows."""

    name = "ignored_filter"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        paging = [pair for pair in visit.question.query if pair[0] in PAGING]
        return await answer(replace(visit.question, query=paging, unfiltered=True))


class FaultIn200(Fault):
    """An error object with status 200, as CSG's own APIs send it."""

    name = "fault_in_200"
    code: int = 5001

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        return as_json(200, fault_object(self.code))


FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        Latency, Hang, Refuse, HangConnect, Garbage, Status, TooMany, Reset, SlowDrip,
        GzipBomb, Redirect, NextElsewhere, SamePageForEver, IgnoredFilter, FaultIn200,
    )
}  # fmt: skip


class Faults:
    """The faults in force. The one that was set first is met first, around the others."""

    def __init__(self) -> None:
        self._in_force: dict[tuple[str, Where], Fault] = {}
        self._left: dict[tuple[str, Where], int] = {}
        """How many more requests meet a fault that was set with `times`."""
        self._changed = asyncio.Event()
        self._listen: Callable[[Listening], Awaitable[None]] | None = None

    @property
    def in_force(self) -> tuple[Fault, ...]:
        return tuple(self._in_force.values())

    @property
    def listening(self) -> Listening:
        """What the listening socket is to do."""
        words = {fault.listening for fault in self.in_force}
        if "refusing" in words:
            return "refusing"
        return "silent" if "silent" in words else "serving"

    def connect(self, listen: Callable[[Listening], Awaitable[None]]) -> None:
        """Names who opens and closes the listening socket."""
        self._listen = listen

    async def set(self, *faults: Fault) -> None:
        """Puts these in force beside the others; the same fault in the same place is replaced.

        When it returns, the listening socket does what they say.
        """
        for fault in faults:
            key = fault.name, fault.where
            self._forget(key)
            self._in_force[key] = fault
            if fault.times is not None:
                self._left[key] = fault.times
        await self._tell()

    async def clear(self, name: str | None = None) -> None:
        """Ends the faults of this name, or all. Requests that hang are dropped."""
        for key in [key for key in self._in_force if name in (None, key[0])]:
            self._forget(key)
        await self._tell()

    async def around(self, where: Where, question: Question, answer: Answer) -> Reply:
        """The reply to a question, as the faults in force make it."""
        met = [fault for fault in self.in_force if self._meets(fault, where)]
        for fault in reversed(met):
            answer = _bound(fault, self._changed, answer)
        return await answer(question)

    def _meets(self, fault: Fault, where: Where) -> bool:
        if fault.where not in (where, "all") or random.random() >= fault.share:
            return False
        key = fault.name, fault.where
        if key in self._left:
            self._left[key] -= 1
            if self._left[key] <= 0:
                self._forget(key)
        return True

    def _forget(self, key: tuple[str, Where]) -> None:
        self._in_force.pop(key, None)
        self._left.pop(key, None)

    async def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        if self._listen is not None:
            await self._listen(self.listening)


def _bound(fault: Fault, changed: asyncio.Event, answer: Answer) -> Answer:
    async def with_fault(question: Question) -> Reply:
        return await fault.around(Visit(question, changed), answer)

    return with_fault
