"""All pages of one list query, or none of them.

A list that is cut short would give wrong figures, so whatever hinders reading it to its end
raises `LookupFailed(bad_response)`: more pages than the limit, or more rows than so many pages hold
(nobody else's question moves while they are looked at), a page that comes twice, fewer rows than
`X-Total-Count` promised. A row that comes on two pages is one of them: where pages overlap,
another row has slipped through between them. A full page of which most is strangers' shows that
the filter is ignored: everybody's rows are not read to their end to find a few.

Each page is judged as `VendorRequest.verify`, inside the guard: a vendor whose pages can't be used
is one that fails, and is asked no more when it goes on.

Vendors page in three ways, and may mix them (TMF630): a `next` link, `X-Total-Count`, or nothing
but `offset` and `limit`; 206 says that there is more. Where a `next` link must not be followed, the
page is asked for by its offset instead.
"""

import re
from collections.abc import Callable
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


def nobody(_row: object) -> bool:
    """No row is a stranger's: everybody's were asked for."""
    return False


async def read_all(
    exchange: Exchange,
    request: VendorRequest,
    call: Call,
    *,
    page_size: int,
    page_limit: int,
    is_strangers: Callable[[object], bool] = nobody,
) -> list[Any]:
    """The rows of every page, in order. Raises `LookupFailed` rather than give a part of them.

    `is_strangers`: of a row, whether it shows that the query's filter was ignored.
    """
    reading = Reading(page_size, page_limit, is_strangers)

    def verify(reply: VendorReply) -> None:
        request.verify(reply)
        reading.judged(reply)

    query = (*request.query, *_window(0, page_size))
    asked = VendorRequest(request.api, request.path, query, verify)
    while True:
        reply = await exchange.send(asked, call)
        if reading.take(reply):
            return reading.rows
        link = next_link(reply)
        followed = exchange.within(asked, link) if link else None
        if followed and followed.path == request.path:
            asked = followed
        else:  # a link that is within our reach may yet be to no page of this list
            window = _window(len(reading.rows), page_size)
            asked = replace(asked, query=(*request.query, *window))


def next_link(reply: VendorReply) -> str | None:
    """The target of `Link: <…>; rel="next"` (RFC 8288); `None` if there is none."""
    link = reply.headers.get("link")
    for target, parameters in _LINK.findall(link) if link else ():
        for rels in _REL.findall(parameters):
            if "next" in "".join(rels).casefold().split():
                return str(target)
    return None


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and what it makes of the list."""

    rows: list[Any] = field(repr=False)
    repeated: int
    """Rows of it that were on a page before."""
    total: int
    """Rows of the whole list, as far as anybody said."""
    has_link: bool
    is_last: bool


@dataclass(slots=True)
class Reading:
    """The rows read so far, and whether they are all."""

    page_size: int
    page_limit: int
    is_strangers: Callable[[object], bool] = field(default=nobody, repr=False)
    rows: list[Any] = field(default_factory=list, repr=False)
    _seen: set[str] = field(default_factory=set, repr=False)
    _pages: int = 0
    _total: int = 0
    _repeated: int = 0
    _by_link: bool = False
    _latest: tuple[VendorReply, Page] | None = field(default=None, repr=False)
    """What was judged inside the guard is most often what is taken then."""

    def take(self, reply: VendorReply) -> bool:
        """Add a page, and say whether it was the last. Raises as `judged` does."""
        latest, self._latest = self._latest, None
        page = latest[1] if latest and latest[0] is reply else self.judged(reply)
        self._latest = None
        self.rows += page.rows
        if not page.is_last:
            self._seen.update(map(fingerprint, page.rows))
        self._pages += 1
        self._total = page.total
        self._repeated += page.repeated
        self._by_link = page.has_link
        return page.is_last

    def judged(self, reply: VendorReply) -> Page:
        """What the next page is; nothing is changed, for several may be asked for it.

        Raises `LookupFailed(bad_response)` where the list can't be read to its end with it.
        """
        page = self._page(reply)
        self._check(page)
        self._latest = reply, page
        return page

    def _check(self, page: Page) -> None:
        if page.rows and self._seen and self._seen.issuperset(map(fingerprint, page.rows)):
            raise _unusable("a page came twice: is paging ignored?")
        if len(self.rows) + len(page.rows) > self.page_size * self.page_limit:
            raise _unusable("more rows than all pages: is limit ignored?")
        if page.is_last and len(page.rows) < self.page_size:
            return
        if 2 * sum(map(self.is_strangers, page.rows)) > len(page.rows):
            raise _unusable("most of a full page is strangers': is the filter ignored?")
        if not page.is_last and self._pages + 1 == self.page_limit:
            raise _unusable("more pages than page_limit: is the filter ignored?")

    def _page(self, reply: VendorReply) -> Page:
        rows, said, has_link = rows_in(reply), _total_count(reply), next_link(reply) is not None
        total = max(self._total, said or 0)
        repeated = sum(id_of(row) in self._seen for row in rows) if self._seen else 0
        read = len(self.rows) + len(rows) - self._repeated - repeated
        is_promised = total > read or (has_link and reply.status == 206)
        if not rows and is_promised:
            raise _unusable("an empty page where more was promised")
        is_last = not rows or not (is_promised or has_link or self._goes_on(reply, said, len(rows)))
        return Page(rows, repeated, total, has_link=has_link, is_last=is_last)

    def _goes_on(self, reply: VendorReply, said: int | None, count: int) -> bool:
        """Whether there may be more after a page that does not say so."""
        if said is not None or self._by_link:
            return False
        return reply.status == 206 or count == self.page_size


def _unusable(why: str) -> LookupFailed:
    return LookupFailed(Reason.BAD_RESPONSE, why)


def _window(offset: int, limit: int) -> tuple[tuple[str, str], ...]:
    return (("offset", str(offset)), ("limit", str(limit)))


def _total_count(reply: VendorReply) -> int | None:
    said = reply.headers.get("x-total-count")
    match = _COUNT.fullmatch(said) if said else None
    return int(match[1]) if match else None
