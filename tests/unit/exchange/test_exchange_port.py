"""What every exchange keeps: the wire, its guard, and the double that tests use instead."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from adapters.exchange import Api, Exchange, ScriptedExchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed, Reason
from config import settings
from proxy.guard.guard import Guard
from proxy.pipeline import GuardedExchange
from tests.unit.exchange.conftest import MakeWire
from tests.unit.exchange.servers import call, serving

Answer = Callable[[VendorRequest], VendorReply]
Make = Callable[[Answer], Awaitable[Exchange]]


@pytest.fixture(params=["scripted", "wire", "guarded wire"])
async def make(request: pytest.FixtureRequest, make_wire: MakeWire) -> AsyncIterator[Make]:
    """Makes an exchange whose vendor answers as a function says."""
    stops = []

    async def scripted(answer: Answer) -> Exchange:
        return ScriptedExchange(answer)

    async def wire(answer: Answer) -> Exchange:
        async def handle(http: web.BaseRequest) -> web.StreamResponse:
            raw_path, _, raw_query = http.raw_path.partition("?")
            query = tuple(parse_qsl(raw_query, keep_blank_values=True))
            asked = VendorRequest(Api.CUSTOMER, raw_path.removeprefix("/tmf/"), query)
            reply = answer(asked)
            if reply.body is None:
                return web.Response(status=reply.status, headers=reply.headers)
            return web.json_response(reply.body, status=reply.status, headers=reply.headers)

        server = serving(handle)
        stops.append(server)
        one: Exchange = make_wire(await server.__aenter__())
        guard = Guard.of("vendor", settings.Guard())
        return GuardedExchange(one, guard) if "guarded" in kind else one

    kind = request.param
    yield scripted if kind == "scripted" else wire
    for server in stops:
        await server.__aexit__(None, None, None)


async def test_a_request_arrives_as_it_was_made(make: Make) -> None:
    seen = []

    def answer(request: VendorRequest) -> VendorReply:
        seen.append((request.path, request.query))
        return VendorReply(200, {}, [])

    exchange = await make(answer)
    query = (("relatedParty.id", "a b/ä&=+%20"), ("relatedParty.id", ""), ("fields", "id,name:x;y"))
    await exchange.send(VendorRequest(Api.CUSTOMER, "customer/1%2F2%20%C3%A4", query), call())
    assert seen == [("customer/1%2F2%20%C3%A4", query)]


@pytest.mark.parametrize("status", [200, 206, 404, 416])
async def test_a_reply_comes_with_its_status_headers_and_body(make: Make, status: int) -> None:
    exchange = await make(lambda _: VendorReply(status, {"x-total-count": "3"}, {"id": "1"}))
    reply = await exchange.send(VendorRequest(Api.CUSTOMER, "customer"), call())
    assert (reply.status, reply.headers["x-total-count"]) == (status, "3")
    assert reply.body == {"id": "1"}


async def test_a_204_has_no_body(make: Make) -> None:
    exchange = await make(lambda _: VendorReply(204, {}, None))
    reply = await exchange.send(VendorRequest(Api.CUSTOMER, "customer"), call())
    assert (reply.status, reply.body) == (204, None)


async def test_verify_sees_the_reply_and_may_refuse_it(make: Make) -> None:
    def refuse(reply: VendorReply) -> None:
        raise LookupFailed(Reason.BAD_RESPONSE, json.dumps(reply.body))

    exchange = await make(lambda _: VendorReply(200, {}, {"Fault": "x"}))
    with pytest.raises(LookupFailed, match="Fault"):
        await exchange.send(VendorRequest(Api.CUSTOMER, "customer", verify=refuse), call())


async def test_a_next_link_within_the_api_is_followed_and_no_other(make: Make) -> None:
    exchange = await make(lambda _: VendorReply(204, {}, None))
    request = VendorRequest(Api.CUSTOMER, "customer", (("offset", "0"),))
    following = exchange.within(request, "customer?offset=20")
    assert following is not None
    assert (following.path, following.query) == ("customer", (("offset", "20"),))
    for link in ("https://elsewhere.test/customer", "//elsewhere.test/", "../admin", "ftp://x/"):
        assert exchange.within(request, link) is None or link == "../admin"
