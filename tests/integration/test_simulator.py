"""The pretend vendor over real sockets: what it demands, and how it fails when it is told to."""

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.simulator import faults
from adapters.simulator.certificates import (
    DEMO_CLIENT,
    Authority,
    Validity,
    write_demo_certificates,
)
from adapters.simulator.control import Control
from adapters.simulator.faults import FAULTS, Fault
from adapters.simulator.population import SHAPES, Shape
from adapters.simulator.shapes import Holder, Version
from adapters.simulator.tls import VendorTls
from adapters.simulator.tokens import RegisteredClient
from adapters.simulator.vendor import SimulatedVendor
from adapters.simulator.vendor_data import VendorData

ROOT = Path(__file__).parents[2]
CLIENT = RegisteredClient(client_id="side", client_secret="secret", certificate_name=DEMO_CLIENT)
SIGN_IN = {"grant_type": "client_credentials", "client_id": "side", "client_secret": "secret"}
PATIENT = aiohttp.ClientTimeout(total=15)
HASTY = aiohttp.ClientTimeout(total=0.3)
"""For what never comes."""
BROKEN = (aiohttp.ClientError, TimeoutError)
NOW = datetime.now(tz=UTC)  # noqa: TID251  (real handshakes go by the real clock)
DATA = VendorData.build("amdocs", "v4", tenant="amdocs_demo", now=NOW)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    write_demo_certificates(folder, now=NOW)
    return folder


@pytest.fixture
async def vendor(certificates: Path) -> AsyncIterator[SimulatedVendor]:
    tls = VendorTls.in_folder(certificates)
    async with SimulatedVendor("amdocs", tls=tls, client=CLIENT, data=DATA) as running:
        yield running


def client_context(folder: Path, *, certificate: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if certificate:
        context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return context


def parsed(body: bytes) -> Any:
    """What the body says; the bytes themselves where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


@dataclass
class Caller:
    """A client of one vendor, with a token."""

    vendor: SimulatedVendor
    session: aiohttp.ClientSession
    token: str = ""
    patience: aiohttp.ClientTimeout = PATIENT

    async def sign_in(self) -> None:
        url, post = self.vendor.token_url, self.session.post
        async with post(url, data=SIGN_IN, timeout=self.patience) as reply:
            assert reply.status == 200
            self.token = (await reply.json())["access_token"]

    async def get(self, path: str) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers; raises one of `BROKEN` when there is no whole reply."""
        async with self.session.get(
            self.vendor.base_url + path,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=self.patience,
            allow_redirects=False,
        ) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return reply.status, parsed(await reply.read()), headers

    async def products(self) -> tuple[int, Any, dict[str, str]]:
        return await self.get(f"product?relatedParty.id={Holder('amdocs', 6).owner}")


@pytest.fixture
async def caller(vendor: SimulatedVendor, certificates: Path) -> AsyncIterator[Caller]:
    connector = aiohttp.TCPConnector(ssl=client_context(certificates))
    async with aiohttp.ClientSession(connector=connector) as session:
        calling = Caller(vendor, session)
        await calling.sign_in()
        yield calling


async def test_a_client_without_a_certificate_gets_nothing(
    vendor: SimulatedVendor, certificates: Path
) -> None:
    connector = aiohttp.TCPConnector(ssl=client_context(certificates, certificate=False))
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(vendor.base_url + "product", timeout=PATIENT)
    assert not vendor.traffic.requests


async def test_a_client_of_another_authority_gets_nothing(
    vendor: SimulatedVendor, certificates: Path, tmp_path: Path
) -> None:
    stranger = Authority.create(now=NOW).issue_client(DEMO_CLIENT).write(tmp_path, "client")
    context = client_context(certificates, certificate=False)
    context.load_cert_chain(stranger.certificate_file, stranger.key_file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(vendor.base_url + "product", timeout=PATIENT)
    assert not vendor.traffic.requests


def test_old_versions_of_tls_are_refused(certificates: Path) -> None:
    context = VendorTls.in_folder(certificates).context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED


async def test_a_vendor_can_show_another_certificate_while_it_runs(
    caller: Caller, tmp_path: Path
) -> None:
    authority = Authority.create(now=NOW)
    gone = Validity(not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1))
    files = authority.issue_server(validity=gone).write(tmp_path, "server")
    bundle = authority.write(tmp_path)
    await caller.vendor.present(VendorTls(files.certificate_file, files.key_file, bundle))
    caller.vendor.drop_connections()
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await caller.products()


async def test_data_is_given_for_a_good_token_only(caller: Caller) -> None:
    assert (await caller.products())[0] == 200
    assert caller.vendor.tokens is not None
    caller.vendor.tokens.revoke_all()
    status, _, headers = await caller.products()
    assert status == 401
    assert headers["www-authenticate"].startswith("Bearer")


async def test_the_certificate_of_each_request_is_noted(caller: Caller, certificates: Path) -> None:
    await caller.products()
    seen = caller.vendor.traffic.requests[-1]
    assert seen.certificate is not None
    assert seen.certificate.common_name == DEMO_CLIENT
    assert seen.query == [("relatedParty.id", Holder("amdocs", 6).owner)]
    assert caller.vendor.traffic.counts == {"token": 1, "product": 1}


@pytest.mark.parametrize("version", ["v4", "v5"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_serves_both_versions_from_its_base_url(
    certificates: Path, shape: Shape, version: Version
) -> None:
    path = {
        "amdocs": "customer",
        "cerillion": "customer/1.0/customer",
        "csg": f"customerManagement/{version}/customer",
    }[shape]
    tls = VendorTls.in_folder(certificates)
    connector = aiohttp.TCPConnector(ssl=client_context(certificates))
    async with (
        SimulatedVendor(shape, version, tls=tls, client=CLIENT) as vendor,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        caller = Caller(vendor, session)
        await caller.sign_in()
        status, rows, headers = await caller.get(f"{path}?limit=7")
        assert status == (200 if shape == "amdocs" else 206)
        assert (len(rows), headers["x-total-count"]) == (7, "900")
        assert ("link" in headers) == (shape != "amdocs")


async def test_only_gets_are_answered(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {caller.token}"}
    url = caller.vendor.base_url + "product"
    async with caller.session.post(url, headers=headers, json={}, timeout=PATIENT) as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, "GET")


async def test_without_tls_and_client_it_speaks_plain_http_to_everybody() -> None:
    async with (
        SimulatedVendor("amdocs", tls=None, client=None, data=DATA) as vendor,
        aiohttp.ClientSession() as session,
    ):
        assert vendor.base_url.startswith("http://127.0.0.1:")
        assert (await Caller(vendor, session).products())[0] == 200


@dataclass(frozen=True)
class Outcome:
    """What a caller meets: a reply of this status, or none at all."""

    status: int | None
    body: Any
    headers: dict[str, str]


async def meet(caller: Caller) -> Outcome:
    try:
        return Outcome(*await caller.products())
    except BROKEN:
        return Outcome(None, None, {})


async def meet_nothing(caller: Caller) -> bool:
    return (await meet(replace(caller, patience=HASTY))).status is None


@pytest.mark.parametrize(
    "fault",
    [
        faults.Hang(),
        faults.Refuse(),
        faults.HangConnect(),
        faults.Reset(after_bytes=20),
        faults.Reset(after_bytes=20, part="head"),
        faults.SlowDrip(piece_bytes=1, pause_s=0.05),
        faults.SlowDrip(piece_bytes=1, pause_s=0.05, part="head"),
        faults.Latency(delay_s=5),
    ],
    ids=repr,
)
async def test_a_fault_that_lets_no_reply_through_lasts_until_it_is_cleared(
    caller: Caller, fault: Fault
) -> None:
    good = await meet(caller)
    assert good.status == 200
    await caller.vendor.faults.set(fault)
    assert await meet_nothing(caller)
    await caller.vendor.faults.clear()
    assert (await meet(caller)).body == good.body


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        (faults.Status(status=502), 502, ("content-type", "text/html")),
        (faults.Status(status=503, retry_after="7"), 503, ("retry-after", "7")),
        (faults.TooMany(retry_after="3"), 429, ("retry-after", "3")),
        (faults.Redirect(location="/login"), 302, ("location", "/login")),
        (faults.NextElsewhere(link="//elsewhere"), 206, ("link", '<//elsewhere>; rel="next"')),
        (faults.SamePageForEver(), 206, ("link", '</product>; rel="next"')),
        (faults.Garbage(kind="html"), 200, ("content-type", "text/html")),
        (faults.Garbage(kind="wrong_type"), 200, ("content-type", "text/html")),
        (faults.Garbage(kind="empty"), 200, ("content-length", "0")),
        (faults.Garbage(kind="scalar"), 200, ("content-length", "4")),
        (faults.Garbage(kind="nested"), 200, ("content-length", "10000")),
        (faults.Garbage(kind="not_utf8"), 200, ("content-length", "13")),
        (faults.FaultIn200(), 200, ("content-length", "80")),
        (faults.GzipBomb(size_bytes=100_000), 200, ("content-encoding", "gzip")),
        (faults.IgnoredFilter(), 200, ("x-total-count", str(len(DATA.rows("product"))))),
    ],
    ids=repr,
)
async def test_a_fault_that_changes_the_reply_lasts_until_it_is_cleared(
    caller: Caller, fault: Fault, status: int, header: tuple[str, str]
) -> None:
    good = await meet(caller)
    assert good.headers.get(header[0]) != header[1]
    await caller.vendor.faults.set(fault)
    bad = await meet(caller)
    assert bad.status == status
    assert bad.headers[header[0]] == header[1]
    await caller.vendor.faults.clear()
    again = await meet(caller)
    assert (again.status, again.body) == (200, good.body)


async def test_a_truncated_body_is_the_beginning_of_the_good_one(caller: Caller) -> None:
    good = await meet(caller)
    await caller.vendor.faults.set(faults.Garbage(kind="truncated"))
    bad = await meet(caller)
    assert isinstance(bad.body, bytes)
    assert 0 < len(bad.body) < int(good.headers["content-length"])


def test_every_fault_has_a_name_and_a_paragraph() -> None:
    assert all(kind.name == name and kind.__doc__ for name, kind in FAULTS.items())


async def test_a_fault_is_over_after_the_times_that_were_set(caller: Caller) -> None:
    await caller.vendor.faults.set(faults.TooMany(times=2))
    statuses = [(await meet(caller)).status for _ in range(3)]
    assert statuses == [429, 429, 200]


async def test_a_fault_that_nobody_meets_changes_nothing(caller: Caller) -> None:
    good = await meet(caller)
    await caller.vendor.faults.set(faults.TooMany(share=0), faults.Hang(where="token"))
    assert (await meet(caller)).body == good.body
    with pytest.raises(TimeoutError):
        await replace(caller, patience=HASTY).sign_in()


async def test_faults_in_force_are_met_together(caller: Caller) -> None:
    await caller.vendor.faults.set(faults.TooMany(), faults.Garbage(kind="empty", where="token"))
    await caller.vendor.faults.set(faults.TooMany(retry_after="9"))
    assert len(caller.vendor.faults.in_force) == 2
    assert (await meet(caller)).headers["retry-after"] == "9"
    await caller.vendor.faults.clear("too_many")
    assert [one.name for one in caller.vendor.faults.in_force] == ["garbage"]


async def test_what_hangs_is_counted_and_let_go_when_its_caller_leaves(caller: Caller) -> None:
    await caller.vendor.faults.set(faults.Hang())
    hanging = asyncio.gather(*(meet_nothing(caller) for _ in range(5)))
    assert all(await hanging)
    assert caller.vendor.traffic.most_in_flight == 5
    async with asyncio.timeout(5):
        await caller.vendor.traffic.until(lambda traffic: traffic.in_flight == 0)


@pytest.fixture
async def control(vendor: SimulatedVendor) -> AsyncIterator[str]:
    serving = Control(vendor)
    yield f"http://127.0.0.1:{await serving.start()}"
    await serving.stop()


async def test_faults_are_switched_over_plain_http(caller: Caller, control: str) -> None:
    async with aiohttp.ClientSession() as curl:
        knobs = {"status": 502, "times": 5}
        async with curl.put(f"{control}/fault/status", json=knobs) as reply:
            assert (await reply.json())["faults"][0]["status"] == 502
        async with curl.put(f"{control}/fault/too_many") as reply:
            assert len((await reply.json())["faults"]) == 2
        async with curl.delete(f"{control}/fault/status") as reply:
            assert [one["name"] for one in (await reply.json())["faults"]] == ["too_many"]
        assert (await meet(caller)).status == 429
        async with curl.delete(f"{control}/fault") as reply:
            assert (await reply.json())["faults"] == []
        async with curl.get(f"{control}/") as reply:
            assert (await reply.json())["replies"]["429"] == 1
        async with curl.delete(f"{control}/traffic") as reply:
            assert (await reply.json())["replies"] == {}


@pytest.mark.parametrize(
    ("fault", "body", "status"),
    [("earthquake", "{}", 404), ("hang", '{"colour": 1}', 400), ("status", "[", 400)],
)
async def test_a_fault_that_there_is_not_is_refused(
    vendor: SimulatedVendor, control: str, fault: str, body: str, status: int
) -> None:
    async with (
        aiohttp.ClientSession() as curl,
        curl.put(f"{control}/fault/{fault}", data=body) as reply,
    ):
        assert reply.status == status
    assert vendor.faults.in_force == ()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_as_a_process_it_says_when_it_listens_and_ends_when_asked(
    certificates: Path, tmp_path: Path, how: signal.Signals
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "adapters.simulator", "--shape", "cerillion"),
        *("--certs", str(certificates), "--client-id", "side"),
        *("--client-secret-file", str(secret), "--control-port", "0", "--latency", "1ms"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
            assert line.startswith("listening cerillion v4 https://127.0.0.1:")
            process.send_signal(how)
            assert await process.wait() == 0
            assert await process.stdout.read() == b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
