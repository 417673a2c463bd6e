"""The vendor of the measurements is one that the product really talks to, and its answers hold."""

import asyncio
import json
import random
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulator.certificates import write_demo_certificates
from adapters.tmf.products import Pricing, ProductRules, read_products
from tests.bench.vendor import TOKEN, TOKEN_PATH, Answering, Request, Thought
from tests.bench.vendor_rows import asked_for, fee, products, vendor_id

NOW = datetime.now(tz=UTC)  # noqa: TID251  (certificates are of today)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
BATCH = f"/product?relatedParty.id={vendor_id(1)}%2C{vendor_id(2)}&offset=0&limit=100"


@dataclass(frozen=True, slots=True)
class Running:
    folder: Path
    ports: list[int]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.ports[0]}"

    def tls(self, *, shows_itself: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if shows_itself:
            context.load_cert_chain(self.folder / "client.pem", self.folder / "client.key")
        return context


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("vendor")
    write_demo_certificates(folder, now=NOW)
    command = [sys.executable, "-m", "tests.bench.vendor", "--certificates", str(folder)]
    command += ["--door", "0ms", "--door", "120ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Running(folder, json.loads(process.stdout.readline())["ports"])
        finally:
            process.kill()


@given(st.integers(0, 2_000_000))
def test_the_fee_of_a_customer_is_what_the_product_reads_out_of_its_row(n: int) -> None:
    (row,) = products([vendor_id(n).encode()])
    document = json.loads(row, parse_float=Decimal)
    reading = read_products([document], ProductRules(), NOW, connection="amdocs")
    assert reading.pricing is Pricing.PRICED
    assert reading.billing.monthly_fee == fee(n)
    assert document["relatedParty"][0]["id"] == vendor_id(n)


@given(
    st.lists(st.integers(0, 99_999_999), min_size=1, max_size=60),
    st.sampled_from(["repeat", ",", ";", "%2C", "%3B"]),
)
def test_several_customers_are_understood_in_every_batch_style(ids: list[int], style: str) -> None:
    written = [str(one) for one in ids]
    if style == "repeat":
        query = "&".join(f"relatedParty.id={one}" for one in written)
    else:
        query = f"relatedParty.id={style.join(written)}"
    assert asked_for(f"/product?{query}&offset=0&limit=100".encode()) == [
        one.encode() for one in written
    ]


@given(cut=st.integers(0, 200), has_body=st.booleans())
def test_a_request_is_taken_once_it_is_whole_and_not_before(cut: int, *, has_body: bool) -> None:
    body = b"grant_type=client_credentials" if has_body else b""
    head = b"POST /oauth2/token HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
    whole = head + body
    part = whole[:cut]
    request = Request.parse(part)
    assert (request is not None) == (len(part) == len(whole))
    assert Request.parse(whole + b"GET / HT") == Request(
        b"POST", b"/oauth2/token", False, len(whole)
    )


@given(st.integers(0, 10_000))
def test_the_tail_has_about_its_share_of_the_answers(seed: int) -> None:
    thought = Thought.parse("100ms:0.02:5s")
    luck = random.Random(seed)
    drawn = [thought.takes_s(luck) for _ in range(2_000)]
    assert set(drawn) <= {0.1, 5.0}
    assert 5 <= drawn.count(5.0) <= 100


def test_a_duration_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unit"):
        Thought.parse("20")


def test_without_the_token_nobody_is_told_anything() -> None:
    answering = Answering()
    refused = answering.answer(Request(b"GET", BATCH.encode(), False, 0))
    assert refused.startswith(b"HTTP/1.1 401 ")
    assert (answering.figures.refused, answering.figures.customers) == (1, 0)


async def test_over_mutual_tls_a_batch_has_a_row_for_each_customer(vendor: Running) -> None:
    connector = aiohttp.TCPConnector(ssl=vendor.tls())
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(vendor.url + TOKEN_PATH, data={"grant_type": "x"}) as reply:
            assert (await reply.json())["access_token"] == TOKEN
        async with session.get(vendor.url + BATCH, headers=HEADERS) as reply:
            rows = await reply.json()
        assert [row["relatedParty"][0]["id"] for row in rows] == [vendor_id(1), vendor_id(2)]
        assert reply.headers["X-Total-Count"] == "2"


async def test_who_shows_no_certificate_is_not_let_in(vendor: Running) -> None:
    connector = aiohttp.TCPConnector(ssl=vendor.tls(shows_itself=False))
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(vendor.url + BATCH)


async def test_a_door_thinks_as_long_as_it_is_told_and_about_many_at_once(vendor: Running) -> None:
    connector = aiohttp.TCPConnector(ssl=vendor.tls(), limit=0)
    clock = asyncio.get_running_loop().time
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS) as session:
        slow = f"https://localhost:{vendor.ports[1]}{BATCH}"
        began = clock()
        replies = await asyncio.gather(*(session.get(slow) for _ in range(20)))
        assert clock() - began >= 0.12
        for reply in replies:
            reply.release()
        async with session.get(vendor.url + "/figures") as reply:
            figures = await reply.json()
    assert figures["requests"] >= 20
    assert 2 <= figures["most_in_flight"] <= 20
