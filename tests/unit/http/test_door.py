"""What every answer has in common, whoever makes it and however badly it was asked."""

import asyncio
import json
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from proxy.http.door import Visit, body
from proxy.http.gate import Gate
from proxy.http.problems import Problem, ProblemType
from tests.unit.http.doubles import Client, Sidecar, found, serving

A = UUID(int=1)
ACCOUNT = f"/v1/customers/{A}/billing-account"
REVENUE = "/v1/revenue-at-risk"
JSON = {"Content-Type": "application/json"}


def check_headers(answer: aiohttp.ClientResponse, correlation_id: str) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Correlation-ID"] == correlation_id
    assert answer.headers["Server"] == "bss-sidecar"


@pytest.mark.parametrize(
    ("asked", "headers", "content", "status"),
    [
        (("GET", ACCOUNT), {}, None, 200),
        (("POST", REVENUE), JSON, b'{"customer_ids":[]}', 200),
        (("POST", REVENUE), JSON, b"{", 400),
        (("GET", ACCOUNT), {"Host": "evil.example"}, None, 403),
        (("GET", ACCOUNT), {"Origin": "https://evil.example"}, None, 403),
        (("GET", ACCOUNT), {"Sec-Fetch-Site": "cross-site"}, None, 403),
        (("GET", ACCOUNT), {"X-Tenant-ID": "nobody"}, None, 404),
        (("GET", "/readyz"), {}, None, 404),
        (("GET", "/metrics"), {}, None, 404),
        (("GET", "/"), {}, None, 404),
        (("GET", "/v1/status"), {}, None, 404),
        (("GET", ACCOUNT + "/"), {}, None, 404),
        (("GET", "/v1//revenue-at-risk"), {}, None, 404),
        (("GET", "/v1/../v1/revenue-at-risk"), {}, None, 404),
        (("PUT", ACCOUNT), JSON, b"{}", 405),
        (("GET", REVENUE), {}, None, 405),
        (("OPTIONS", REVENUE), {}, None, 405),
        (("PROPFIND", REVENUE), {}, None, 405),
        (("POST", REVENUE), JSON, b" " * 65_537, 413),
        (("POST", REVENUE), {"Content-Type": "text/plain"}, b"{}", 415),
        (("POST", REVENUE), {**JSON, "Content-Encoding": "gzip"}, b"{}", 415),
        (("POST", REVENUE), {**JSON, "Expect": "a miracle"}, b"{}", 417),
        (("POST", REVENUE), JSON, b"{}", 422),
    ],
)
async def test_every_answer_has_the_common_headers_and_every_error_is_a_problem(
    data: Client,
    sidecar: Sidecar,
    asked: tuple[str, str],
    headers: dict[str, str],
    content: bytes | None,
    status: int,
) -> None:
    sidecar.adapter.billing[A] = found("1")
    sent = {**headers, "X-Correlation-ID": "from-the-pod"}
    method, path = asked
    url = URL(data.base + path, encoded=True)
    async with data.session.request(
        method, url, headers={**data.headers, **sent}, data=content
    ) as answer:
        assert answer.status == status
        check_headers(answer, "from-the-pod")
        if status != 200:
            problem = json.loads(await answer.read())
            assert answer.content_type == "application/problem+json"
            assert problem["status"] == status
            assert problem["type"].startswith("urn:bss-sidecar:problem:")
            assert str(A) not in str(problem)
            (refusal,) = sidecar.refusals
            assert (refusal.status, refusal.correlation_id) == (status, "from-the-pod")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (ACCOUNT, "GET, HEAD"),
        (REVENUE, "POST"),
        ("/v1/disputes", "POST"),
        (f"/v1/customers/{A}/cache", "DELETE"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(data: Client, path: str, allowed: str) -> None:
    async with data.ask("PATCH", path, headers=JSON) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


async def test_head_is_get_without_the_content(data: Client, sidecar: Sidecar) -> None:
    sidecar.adapter.billing[A] = found("1")
    async with data.ask("HEAD", ACCOUNT) as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert await answer.read() == b""


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"X-Correlation-ID": "abc-1.2_3:4"}, "abc-1.2_3:4"),
        ({"X-Trace-ID": "alias"}, "alias"),
        ({"X-Correlation-ID": "own", "X-Trace-ID": "alias"}, "own"),
        ({"X-Correlation-ID": "a b\tc<script>\"é'\\;,d"}, "abcscriptd"),
        ({"X-Correlation-ID": "x" * 500}, "x" * 128),
        ({"X-Correlation-ID": " \t;", "X-Trace-ID": "alias"}, "alias"),
    ],
)
async def test_the_callers_correlation_id_comes_back_harmless(
    data: Client, sent: dict[str, str], echoed: str
) -> None:
    async with data.ask("GET", "/nowhere", headers=sent) as answer:
        check_headers(answer, echoed)


async def test_without_a_correlation_id_one_is_made_for_each_request(data: Client) -> None:
    made = set()
    for _ in range(2):
        async with data.ask("GET", "/nowhere") as answer:
            made.add(answer.headers["X-Correlation-ID"])
    assert len(made) == 2


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBroken\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"canary" * 2000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=range(9),
)
async def test_bytes_that_are_no_request_get_a_problem_and_the_connection_ends(
    data: Client, sidecar: Sidecar, request_bytes: bytes
) -> None:
    answer = await data.raw(request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"\r\nCache-Control: no-store\r\n" in head
    assert b"\r\nX-Correlation-ID: " in head
    assert json.loads(body)["type"] == "urn:bss-sidecar:problem:malformed"
    assert b"canary" not in answer
    assert [refusal.status for refusal in sidecar.refusals] == [400]


@pytest.mark.parametrize(
    ("framing", "part"),
    [("Content-Length: 20", b'{"cust'), ("Transfer-Encoding: chunked", b"zz\r\n")],
)
async def test_a_body_that_does_not_come_or_breaks_its_framing_is_given_up_on(
    data: Client, sidecar: Sidecar, framing: str, part: bytes
) -> None:
    """Behind a body that is under way, aiohttp's parser reports a broken frame to nobody."""
    sidecar.runtime.batch_budget_s = 0.1
    reader, writer = await asyncio.open_connection("127.0.0.1", data.listener.bound.port)
    writer.write(
        b"POST /v1/disputes HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: acme\r\n"
        b"X-Correlation-ID: framed\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/json\r\n%b\r\n\r\n" % framing.encode()
    )
    async with asyncio.timeout(10):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(part)
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nX-Correlation-ID: framed\r\n" in answer
    assert b"\r\nConnection: close\r\n" in answer


async def test_a_body_whose_frame_is_known_to_be_broken_is_malformed() -> None:
    loop = asyncio.get_running_loop()
    payload = aiohttp.StreamReader(BaseProtocol(loop), limit=2**16, loop=loop)
    payload.set_exception(web.RequestPayloadError("a quote of the body"))
    request = make_mocked_request("POST", REVENUE, payload=payload, loop=loop)
    visit = Visit("POST", request.rel_url, request.headers, "one", loop.time(), request)
    with pytest.raises(Problem) as raised:
        await body(visit, most=10, within_s=1)
    assert (raised.value.type, raised.value.closes) == (ProblemType.MALFORMED, True)
    assert "quote" not in raised.value.detail


async def test_a_chunked_body_is_counted_as_it_comes(data: Client) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    answer = await data.raw(
        b"POST /v1/disputes HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: acme\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 17
        + b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_two_hundred_ids_fit_into_a_body(data: Client, sidecar: Sidecar) -> None:
    ids = [UUID(int=number) for number in range(200)]
    sidecar.adapter.billing = dict.fromkeys(ids, found("0.01"))
    body = {"customer_ids": [str(one) for one in ids]}
    async with data.ask("POST", REVENUE, json=body) as answer:
        assert (await answer.json())["total_revenue_at_risk"] == 2.0
    body["customer_ids"].append(str(UUID(int=200)))
    async with data.ask("POST", REVENUE, json=body) as answer:
        assert answer.status == 413
        assert (await answer.json())["errors"][0]["pointer"] == "#/customer_ids"


async def test_a_caller_who_waits_for_it_is_told_to_go_on(data: Client, sidecar: Sidecar) -> None:
    sidecar.adapter.billing = {A: found("1")}
    body = b'{"customer_ids":["%b"]}' % str(A).encode()
    answer = await data.raw(
        b"POST /v1/revenue-at-risk HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: acme\r\n"
        b"Expect: 100-continue\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_a_target_in_absolute_form_is_judged_by_its_own_host(data: Client) -> None:
    for host, status in (("evil.example", b"403"), ("127.0.0.1", b"404")):
        answer = await data.raw(
            f"GET http://{host}/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.split()[1] == status


async def test_requests_on_one_connection_are_answered_one_by_one(
    data: Client, sidecar: Sidecar
) -> None:
    one = f"GET {ACCOUNT} HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: acme\r\n"
    sidecar.adapter.billing[A] = found("1")
    answer = await data.raw(f"{one}\r\n{one}Connection: close\r\n\r\n".encode())
    assert answer.count(b"HTTP/1.1 200 OK") == 2


async def test_without_the_token_nothing_is_told_not_even_what_routes_there_are(
    sidecar: Sidecar,
) -> None:
    gate = Gate(loopback_host=True, token=b"0123456789abcdef")
    async with serving(sidecar.door(), gate) as client:
        for path in (ACCOUNT, "/nowhere", "/openapi.json"):
            async with client.ask("GET", path) as answer:
                assert answer.status == 401
                check_headers(answer, answer.headers["X-Correlation-ID"])
        right = {"Authorization": "Bearer 0123456789abcdef"}
        async with client.ask("GET", "/openapi.json", headers=right) as answer:
            assert answer.status == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(st.binary(max_size=300), min_size=8, max_size=8))
def test_no_body_ever_gets_500(bodies: list[bytes]) -> None:
    async def send() -> None:
        sidecar = Sidecar()
        async with serving(sidecar.door(), Gate(loopback_host=True)) as client:
            for body in bodies:
                for path in (REVENUE, "/v1/disputes"):
                    async with client.ask("POST", path, data=body, headers=JSON) as answer:
                        assert answer.status in {200, 400, 413, 422, 503}
        assert sidecar.errors == []

    asyncio.run(send())
