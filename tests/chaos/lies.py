"""What a pretend vendor answers when it is wrong, beyond the simulator's own `faults`."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from pydantic import PrivateAttr

from adapters.lookup import wall_clock
from adapters.simulator.answering import Question
from adapters.simulator.encoding import encode
from adapters.simulator.faults import Answer, Fault, Visit, Where
from adapters.simulator.reply import JSON, Reply, as_json

ROW_ID = re.compile(rb'"id":"PRD-')
AMOUNT = re.compile(rb'"value":-?[0-9.]+')


class RestUntil(Fault):
    """The vendor wants to be left alone until a moment by its own clock, and gives its date."""

    name: ClassVar[str] = "rest_until"
    status: int = 429
    rest_s: float = 2.0
    clock_ahead_s: float = 0.0

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        now = wall_clock() + timedelta(seconds=self.clock_ahead_s)
        headers = {
            "Date": http_date(now),
            "Retry-After": http_date(now + timedelta(seconds=self.rest_s)),
        }
        return as_json(self.status, {"code": str(self.status), "message": "Later"}, headers)


class Saying(Fault):
    """These bytes, whatever was asked."""

    name: ClassVar[str] = "saying"
    status: int = 200
    body: bytes
    content_type: str = JSON
    content_encoding: str | None = None

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        encoding = self.content_encoding
        headers = {} if encoding is None else {"Content-Encoding": encoding}
        return Reply(
            status=self.status, body=self.body, content_type=self.content_type, headers=headers
        )


class Recoded(Fault):
    """The right body, in another encoding."""

    name: ClassVar[str] = "recoded"
    charset: str = "utf-16"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        body = reply.body.decode(errors="replace").encode(self.charset)
        return replace(reply, body=body, content_type=f"application/json;charset={self.charset}")


class NotFound(Fault):
    """404 with an error body of the TM Forum's: of single resources, or of lists."""

    name: ClassVar[str] = "not_found"
    of_lists: bool = False

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        if is_list(visit.question) != self.of_lists:
            return await answer(visit.question)
        error = {"code": "404", "reason": "Not found", "message": "Not found", "@type": "Error"}
        return as_json(404, error)


class NoContent(Fault):
    """204 in place of an empty list, or of everything."""

    name: ClassVar[str] = "no_content"
    of_everything: bool = False

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        is_empty = reply.status == 200 and reply.body == b"[]"
        return Reply(status=204) if self.of_everything or is_empty else reply


class SmallPages(Fault):
    """Few rows to a page, whatever is asked for."""

    name: ClassVar[str] = "small_pages"
    rows: int = 1

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        others = [pair for pair in visit.question.query if pair[0] != "limit"]
        query = [*others, ("limit", str(self.rows))]
        return await answer(replace(visit.question, query=query))


class EndlessPages(Fault):
    """Each page has new rows, and one more page behind it."""

    name: ClassVar[str] = "endless_pages"
    _page: int = PrivateAttr(0)

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        question = visit.question
        others = [pair for pair in question.query if pair[0] != "offset"]
        reply = await answer(replace(question, query=others))
        if not is_list(question) or reply.status not in (200, 206):
            return reply
        object.__setattr__(self, "_page", self._page + 1)
        rows = ROW_ID.sub(b'"id":"%d-' % self._page, reply.body)
        link = f"{question.path}?{urlencode([*others, ('offset', str(self._page))])}"
        headers = {"Link": f'<{link}>; rel="next"'}
        return replace(reply, status=206, body=rows, headers=headers)


class Rows(Fault):
    """The rows of a list, as `said` has them."""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        if not is_list(visit.question) or reply.status not in (200, 206):
            return reply
        rows = readable(reply)
        return replace(reply, body=encode(self.said(rows))) if isinstance(rows, list) else reply

    def said(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows


class Twice(Rows):
    """Every row comes twice."""

    name: ClassVar[str] = "twice"

    def said(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*rows, *rows]


class Contradiction(Rows):
    """Every product comes a second time, with another price."""

    name: ClassVar[str] = "contradiction"

    def said(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*rows, *(_dearer(row) for row in rows if "productPrice" in row)]


class Amounts(Fault):
    """Each amount is this, which JSON's grammar may not even know."""

    name: ClassVar[str] = "amounts"
    literal: bytes = b"NaN"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        return replace(reply, body=AMOUNT.sub(b'"value":' + self.literal, reply.body))


class TokenSays(Fault):
    """A token is given, and its reply says this in place of the truth; `None` leaves out."""

    name: ClassVar[str] = "token_says"
    where: Where = "token"
    said: Mapping[str, object]

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        reply = await answer(visit.question)
        token = readable(reply)
        if not isinstance(token, dict):
            return reply
        told = {**token, **self.said}
        return as_json(200, {name: value for name, value in told.items() if value is not None})


def readable(reply: Reply) -> object:
    """What a reply holds; `None` where another fault has made it nothing that can be read."""
    with suppress(ValueError):
        return json.loads(reply.body)
    return None


def is_list(question: Question) -> bool:
    """Whether it asks for a list. Only lists are asked for with a window."""
    return any(name == "limit" for name, _ in question.query)


def http_date(moment: datetime) -> str:
    """RFC 9110, section 5.6.7."""
    return format_datetime(moment, usegmt=True)


def _dearer(row: dict[str, Any]) -> dict[str, Any]:
    dearer: dict[str, Any] = json.loads(AMOUNT.sub(b'"value":77.77', encode(row)))
    return dearer
