"""All pages of one list query, or none of them.

A list that is cut short would give wrong figures, so whatever hinders reading it to its end
raises `LookupFailed(bad_response)`: more pages than the limit, or more rows than so many pages hold
(nobody else's question moves while they are looked at), a page that comes twice, fewer rows than
`X-Total-Count` promised. A row that comes on two pages is one of them: where pages overlap,
another row has slipped through between them.

Vendors page in three ways, and may mix them (TMF630): a `next` link, `X-Total-Count`, or nothing
but `offset` and `limit`; 206 says that there is more. Where a `next` link must not be followed, the
page is asked for by its offset instead.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.call import Call
from adapters.exchange import Exchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed, Reason
from adapters.tmf.faults import rows_in
from adapters.tmf.rows import fingerprint, id_of

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,]+))""", re.IGNORECASE)
_COUNT = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)


async def read_all(
    exchange: Exchange, request: VendorRequest, call: Call, *, page_size: int, page_limit: int
) -> list[Any]:
    """The rows of every page, in order. Raises `LookupFailed` rather than give a part of them."""
    reading = Reading(page_size)
    query = request.query
    asked = replace(request, query=(*query, *_window(0, page_size)))
    for _ in range(page_limit):
        reply = await exchange.send(asked, call)
        link = next_link(reply)
        followed = exchange.within(asked, link) if link else None
        if followed and followed.path != request.path:
            followed = None  # within our reach, yet not a page of this list
        is_last = reading.take(reply, has_link=link is not None)
        if len(reading.rows) > page_size * page_limit:
            raise LookupFailed(Reason.BAD_RESPONSE, "more rows than all pages: is limit ignored?")
        if is_last:
            return reading.rows
        asked = followed or replace(request, query=(*query, *_window(len(reading.rows), page_size)))
    raise LookupFailed(Reason.BAD_RESPONSE, "more pages than page_limit: is the filter ignored?")


def next_link(reply: VendorReply) -> str | None:
    """The target of `Link: <…>; rel="next"` (RFC 8288); `None` if there is none."""
    for target, parameters in _LINK.findall(reply.headers.get("link", "")):
        for rels in _REL.findall(parameters):
            if "next" in "".join(rels).casefold().split():
                return str(target)
    return None


@dataclass(slots=True)
class Reading:
    """The rows read so far, and whether they are all."""

    page_size: int
    rows: list[Any] = field(default_factory=list, repr=False)
    _seen: set[str] = field(default_factory=set, repr=False)
    _total: int = 0
    _repeated: int = 0
    _by_link: bool = False

    def take(self, reply: VendorReply, *, has_link: bool) -> bool:
        """Add a page, and say whether it was the last. `has_link`: one to a next page."""
        page, total = rows_in(reply), _total_count(reply)
        self._keep(page)
        self._total = max(self._total, total or 0)
        came_by_link, self._by_link = self._by_link, has_link
        read = len(self.rows) - self._repeated
        is_promised = self._total > read or (has_link and reply.status == 206)
        if not page:
            if is_promised:
                raise LookupFailed(Reason.BAD_RESPONSE, "an empty page where more was promised")
            return True
        if is_promised or has_link:
            return False
        if total is not None or came_by_link:
            return True
        return reply.status != 206 and len(page) != self.page_size

    def _keep(self, page: Sequence[Any]) -> None:
        prints = {fingerprint(row) for row in page}
        if self.rows and page and prints <= self._seen:
            raise LookupFailed(Reason.BAD_RESPONSE, "a page came twice: is paging ignored?")
        self._repeated += sum(id_of(row) in self._seen for row in page)
        self._seen |= prints
        self.rows += page


def _window(offset: int, limit: int) -> tuple[tuple[str, str], ...]:
    return (("offset", str(offset)), ("limit", str(limit)))


def _total_count(reply: VendorReply) -> int | None:
    match = _COUNT.fullmatch(reply.headers.get("x-total-count", ""))
    return int(match[1]) if match else None
