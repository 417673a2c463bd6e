"""The wire over plain sockets: what it sends, what it takes, and what it makes of faults."""

import asyncio
import logging
import threading
from decimal import Decimal

import pytest
from aiohttp import web

from adapters.exchange import Api, VendorRequest
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.exchange.wire import BIG_BODY_BYTES, encoded, is_below
from tests.unit.exchange.conftest import CountingThreads, MakeWire
from tests.unit.exchange.failing import ASKED, CANARY, failure_after, failure_of
from tests.unit.exchange.servers import call, saying, serving


async def json_reply(_request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response([{"id": CANARY, "price": 12.5, "n": 3}])


async def test_every_number_is_a_decimal(make_wire: MakeWire) -> None:
    async with serving(json_reply) as origin:
        reply = await make_wire(origin).send(ASKED, call())
    assert [type(reply.body[0][name]) for name in ("price", "n")] == [Decimal, Decimal]


async def test_it_says_what_it_takes_and_whose_question_it_is(make_wire: MakeWire) -> None:
    seen: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        return await json_reply(request)

    async with serving(handle) as origin:
        wire = make_wire(origin, headers={"accept": "application/json;v=4", "X-Org": "acme"})
        trace = f"00-{'a' * 32}-{'b' * 16}-01"
        await wire.send(ASKED, call(correlation_id="c-1", traceparent=trace))
        await wire.send(ASKED, call(correlation_id="a\r\nb: c"))
    first, second = (request.headers for request in seen)
    assert first.getall("Accept") == ["application/json;v=4"]
    assert first["Accept-Encoding"] == "gzip"
    assert first["User-Agent"] == "bss-sidecar"
    assert (first["X-Org"], first["X-Correlation-ID"]) == ("acme", "c-1")
    assert first["traceparent"] == trace
    assert not {"Cookie", "Authorization"} & set(first)
    assert not {"X-Correlation-ID", "traceparent", "b"} & set(second)


async def test_cookies_are_not_kept(make_wire: MakeWire) -> None:
    cookies = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        return web.json_response([], headers={"Set-Cookie": "session=1"})

    async with serving(handle) as origin:
        wire = make_wire(origin.replace("127.0.0.1", "localhost"))  # an address gets no cookies
        await wire.send(ASKED, call())
        await wire.send(ASKED, call())
    assert cookies == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(make_wire: MakeWire, status: int) -> None:
    asked = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": f"/{CANARY}"})

    async with serving(handle) as origin:
        failure = await failure_of(make_wire(origin))
    assert (failure.reason, asked) == (Reason.BAD_RESPONSE, ["/tmf/product"])


async def test_a_vendor_that_limits_its_callers_says_for_how_long(make_wire: MakeWire) -> None:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "12"}, text=CANARY)

    async with serving(handle) as origin:
        failure = await failure_of(make_wire(origin))
    assert (failure.reason, failure.retry_after_s) == (Reason.RATE_LIMITED, 12)


async def test_a_404_of_html_is_left_to_the_adapter(make_wire: MakeWire) -> None:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404, text=f"<p>{CANARY}", content_type="text/html")

    async with serving(handle) as origin:
        reply = await make_wire(origin).send(ASKED, call())
    assert (reply.status, reply.body) == (404, None)


async def test_a_big_body_alone_is_parsed_in_a_thread(
    make_wire: MakeWire, parsing: CountingThreads
) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(["x" * int(request.rel_url.query["size"]), 1])

    async with serving(handle) as origin:
        wire = make_wire(origin, body_bytes=2 * BIG_BODY_BYTES)
        for size, in_threads in ((10, 0), (BIG_BODY_BYTES, 1)):
            request = VendorRequest(Api.ACCOUNT, "billingAccount", (("size", str(size)),))
            assert (await wire.send(request, call())).body[1] == Decimal(1)
            assert parsing.submitted == in_threads


async def test_a_body_that_is_parsed_beyond_the_budget_is_a_deadline(
    make_wire: MakeWire, parsing: CountingThreads
) -> None:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response(["x" * BIG_BODY_BYTES])

    parsed = threading.Event()
    parsing.submit(parsed.wait)  # the one thread is busy
    try:
        async with serving(handle) as origin:
            wire = make_wire(origin, body_bytes=2 * BIG_BODY_BYTES)
            failure = await failure_of(wire, budget_s=0.2)
    finally:
        parsed.set()
    assert failure.reason is Reason.DEADLINE


class Passes:
    """Grants numbered passes, and notes which were refused."""

    def __init__(self) -> None:
        self.version = 7
        self.header = "Bearer canary-4711"
        self.refusals: list[int] = []

    async def grant(self, _call: object) -> "Passes":
        return self

    def refused(self, version: int) -> None:
        self.refusals.append(version)


@pytest.mark.parametrize(("status", "refusals"), [(401, [7]), (403, []), (500, [])])
async def test_a_401_refuses_the_version_that_was_sent(
    make_wire: MakeWire, status: int, refusals: list[int]
) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["Authorization"] == Passes().header
        return web.Response(status=status)

    passes = Passes()
    async with serving(handle) as origin:
        await failure_of(make_wire(origin, authorization=passes))
    assert passes.refusals == refusals


class Renewed(Passes):
    """After a refusal it grants a newer one, of which a vendor may think as it likes."""

    async def grant(self, _call: object) -> "Passes":
        newer = Passes()
        newer.version = self.version + len(self.refusals)
        newer.header = f"Bearer {newer.version}"
        return newer


@pytest.mark.parametrize(("taken", "statuses"), [(8, [401, 200]), (9, [401, 401])])
async def test_a_question_whose_grant_was_refused_is_asked_once_more_with_a_newer_one(
    make_wire: MakeWire, taken: int, statuses: list[int]
) -> None:
    given: list[int] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        good = request.headers["Authorization"] == f"Bearer {taken}"
        given.append(200 if good else 401)
        return web.json_response([], status=given[-1])

    passes = Renewed()
    async with serving(handle) as origin:
        wire = make_wire(origin, authorization=passes)
        if statuses[-1] == 200:
            assert (await wire.send(ASKED, call())).body == []
        else:
            assert (await failure_of(wire)).reason is Reason.AUTH
    assert given == statuses
    assert passes.refusals == [7, 8][: statuses.count(401)]


class Slow(Passes):
    """Fails after a while, the first time or the second."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self._fails_at = fails_at
        self._asked = 0

    async def grant(self, _call: object) -> Passes:
        self._asked += 1
        await asyncio.sleep(0.02)
        if self._asked == self._fails_at:
            raise LookupFailed(Reason.AUTH, "no token", retry_after_s=3)
        return self


@pytest.mark.parametrize("fails_at", [1, 2])
async def test_a_failed_grant_says_nothing_about_the_vendor_and_takes_none_of_its_time(
    make_wire: MakeWire, fails_at: int
) -> None:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=401)

    asked = call()
    async with serving(handle) as origin:
        with pytest.raises(NotAsked) as failed:
            await make_wire(origin, authorization=Slow(fails_at)).send(ASKED, asked)
    failure = failed.value
    assert (failure.reason, failure.detail, failure.retry_after_s) == (Reason.AUTH, "no token", 3)
    assert asked.aside_s >= 0.015 * fails_at


async def test_an_api_without_a_base_url_is_a_matter_of_configuration(
    make_wire: MakeWire,
) -> None:
    failure = await failure_of(make_wire("http://127.0.0.1", apis={}))
    assert failure.reason is Reason.CONFIGURATION
    assert isinstance(failure, NotAsked)


async def test_a_path_that_could_leave_its_api_is_not_asked_for(make_wire: MakeWire) -> None:
    request = VendorRequest(Api.CUSTOMER, f"customer/..%2F{CANARY}")
    failure = await failure_of(make_wire("http://127.0.0.1"), request)
    assert failure.reason is Reason.BAD_RESPONSE
    assert isinstance(failure, NotAsked)


async def test_no_log_at_any_level_holds_an_id_or_a_fee(
    make_wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(json_reply) as origin:
        await make_wire(origin).send(ASKED, call())
    await failure_after(make_wire, saying(b"SSH-2.0-" + CANARY.encode() + b"\r\n\r\n"))
    assert CANARY not in caplog.text


def test_a_query_is_encoded_once_and_lists_stay_readable() -> None:
    query = (("status", "a,b;c"), ("x[0].id", "ä +%2F&="), ("at", "2026-01-01T00:00:00Z"))
    assert encoded(query) == (
        "status=a,b%3Bc&x%5B0%5D.id=%C3%A4%20%2B%252F%26%3D&at=2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    "path", ["product", "customer/12%2F3", "billingAccount/a..b", "a/", "x%20y"]
)
def test_these_paths_stay_below_their_api(path: str) -> None:
    assert is_below(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/x",
        "../x",
        "a/..",
        "a/./b",
        "a/%2e%2E/b",
        "a/..%2Fb",
        "a/..%5cb",
        "a?b",
        "a#b",
        "a b",
        "a\\b",
        "a\r\nb",
        "ä",
    ],
)
def test_these_could_leave_it(path: str) -> None:
    assert not is_below(path)
