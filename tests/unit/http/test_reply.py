"""The head that is written by hand: what aiohttp writes for the same answer, and no line more."""

import re
from asyncio import StreamReader
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from adapters.outcome import Reason
from proxy.cache.tally import Tally, cache_status
from proxy.http import correlation
from proxy.http.reply import Reply, in_one_piece
from proxy.lookup.degradation import Degradation
from tests.unit.http.one_connection import answer, bench, get

NAMES = (
    "cache-control", "content-length", "content-type", "date", "server", "server-timing",
    "x-content-type-options", "x-correlation-id",
)  # fmt: skip
COUNT = st.integers(-(2**40), 2**40)
TALLIES = st.builds(
    Tally,
    hits=COUNT,
    negative=COUNT,
    misses=COUNT,
    outdated=COUNT,
    stale=COUNT,
    unopenable=COUNT,
    bypassed=COUNT,
    refreshes=COUNT,
    fresh_for_ms=st.none() | COUNT,
)
IDS = st.text() | st.text("ab:\r\n \t\x00\x7f\x85\u2028", max_size=20)
LACKS = st.none() | st.builds(Degradation, st.sampled_from(Reason), COUNT, COUNT)


def parsed(written: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, content = written.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in fields}) == len(fields)
    return first, {name.lower(): value for name, value in fields}, content


@given(IDS, st.sampled_from([correlation.HEADER, correlation.ALIAS]), TALLIES, LACKS)
def test_nothing_that_is_given_adds_a_line_to_the_head(
    given_id: str, name: str, tally: Tally, lacks: Degradation | None
) -> None:
    sent = CIMultiDictProxy(CIMultiDict({name: given_id}))
    correlation_id = correlation.correlation_id(sent)
    headers: Mapping[str, str] = {
        "Cache-Status": cache_status(tally, is_batch=True),
        **({} if lacks is None else {"BSS-Degraded": lacks.header}),
    }
    written = in_one_piece(Reply(b"{}", headers), correlation_id, "total;dur=1.0")
    first, fields, content = parsed(written)
    assert (first, content) == ("HTTP/1.1 200 OK", b"{}")
    assert set(fields) == {*NAMES, *(one.lower() for one in headers)}
    assert fields["cache-status"] == headers["Cache-Status"]
    assert fields["x-correlation-id"] == correlation_id
    assert re.fullmatch(r"[\x20-\x7e\r\n]+", written.decode())
    assert not re.search(r"[^\r]\n|\r[^\n]", written.decode())


async def test_it_says_what_aiohttp_says_of_the_same_answer() -> None:
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    async with bench() as made:
        reader, writer = await made.connect()
        for lane, fields in (("plain", ours), ("any", theirs)):
            writer.write(get(b"small/1", b"X-Correlation-ID: one", lane=lane))
            fields.update(await _fields(reader))
        writer.close()
    assert ours == theirs
    assert {"cache-status", *NAMES} - {"date", "server-timing"} == set(ours)


async def _fields(reader: StreamReader) -> Mapping[str, str]:
    """Without those that tell the time, which has gone on."""
    status, fields, content = await answer(reader)
    assert (status, content) == (200, b"1")
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d gmt", fields.pop("date"))
    assert re.fullmatch(r"total;dur=\d+\.\d", fields.pop("server-timing"))
    return fields
