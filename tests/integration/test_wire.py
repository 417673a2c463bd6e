"""A connection to a pretend vendor, over real mutual TLS and OAuth2, through its whole stack."""

import asyncio
import gc
import logging
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.exchange import Api, VendorReply, VendorRequest
from adapters.lookup import wall_clock
from adapters.outcome import Call, LookupFailed, Reason
from adapters.simulator.certificates import Authority, Issued, Validity
from adapters.simulator.faults import GzipBomb, Hang, HangConnect, Refuse, Reset, SlowDrip, TooMany
from adapters.simulator.tls import VendorTls
from adapters.simulator.tokens import RegisteredClient
from adapters.simulator.vendor import SimulatedVendor
from adapters.simulator.vendor_data import VendorData
from config.settings import Connection
from proxy.connection import VendorConnection
from proxy.lifecycle import Tasks

SECRET = "canary-secret-4711"
CLIENT_ID = "canary-client-4711"
VENDOR_ID = "canary-customer-4711"
METHODS = ["client_secret_basic", "client_secret_post", "tls_client_auth", "private_key_jwt"]
ASKED = VendorRequest(Api.PRODUCT_INVENTORY, "product", (("relatedParty.id", VENDOR_ID),))
SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT = RegisteredClient(
    client_id=CLIENT_ID,
    client_secret=SECRET,
    certificate_name="sidecar",
    signing_key=SIGNING_KEY.public_key(),
)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create(now=wall_clock(), intermediate=True)


@pytest.fixture(scope="session")
def data() -> VendorData:
    return VendorData.build("amdocs", "v4", tenant="amdocs_demo", now=wall_clock())


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    authority.write(tmp_path)
    authority.issue_server().write(tmp_path, "server")
    authority.issue_client("sidecar").write(tmp_path, "client")
    (tmp_path / "secret").write_text(SECRET + "\n")
    signing = Issued(authority.root, (), SIGNING_KEY)
    (tmp_path / "signing.key").write_bytes(signing.key_pem())
    return tmp_path


@pytest.fixture
async def vendor(folder: Path, data: VendorData) -> AsyncIterator[SimulatedVendor]:
    tls = VendorTls.in_folder(folder)
    async with SimulatedVendor("amdocs", tls=tls, client=CLIENT, data=data) as one:
        yield one


Connect = Callable[..., VendorConnection]


@dataclass
class Bench:
    """Makes connections, and closes them."""

    folder: Path
    tasks: Tasks
    made: list[VendorConnection]

    def setting(self, base_url: str, token_url: str | None, **more: Any) -> Connection:
        tls = {
            "certificate_file": str(self.folder / "client.pem"),
            "key_file": str(self.folder / "client.key"),
            "trust_bundle_file": str(self.folder / "ca.pem"),
        }
        oauth2 = {
            "token_url": token_url,
            "client_id": CLIENT_ID,
            "client_secret_file": str(self.folder / "secret"),
            "signing_key_file": str(self.folder / "signing.key"),
            "method": more.pop("method", "client_secret_basic"),
        }
        wire = {"connect_timeout": "5s", "exchange_timeout": "10s"} | more.pop("wire", {})
        return Connection.model_validate(
            {
                "vendor": "amdocs",
                "base_url": base_url,
                "tls": tls | more.pop("tls", {}),
                "oauth2": oauth2 if token_url else None,
                "wire": wire,
            }
            | more
        )

    def connect(self, base_url: str, token_url: str | None = None, **more: Any) -> VendorConnection:
        setting = self.setting(base_url, token_url, **more)
        one = VendorConnection(
            "acme", setting, dict.fromkeys(Api, base_url), spawn=self.tasks.spawn
        )
        self.made.append(one)
        return one

    def to(self, vendor: SimulatedVendor, **more: Any) -> VendorConnection:
        return self.connect(vendor.base_url, vendor.token_url, **more)


@pytest.fixture
async def bench(folder: Path) -> AsyncIterator[Bench]:
    lost: list[BaseException] = []
    one = Bench(folder, Tasks(lost.append), [])
    yield one
    for connection in one.made:
        await connection.aclose()
    await one.tasks.cancel()
    assert lost == []


def call(budget_s: float = 30.0) -> Call:
    return Call(
        deadline=asyncio.get_running_loop().time() + budget_s,
        asked_at=wall_clock(),
        correlation_id="c-1",
    )


async def ask(connection: VendorConnection, request: VendorRequest = ASKED) -> VendorReply:
    return await connection.exchange.send(request, call())


async def failure_of(connection: VendorConnection, budget_s: float = 30.0) -> LookupFailed:
    """The failure of an exchange, in which nothing personal and no secret is to be found."""
    with pytest.raises(LookupFailed) as failed:
        await connection.exchange.send(ASKED, call(budget_s))
    told = "".join(traceback.format_exception(failed.value))
    shown = told + repr(failed.value) + repr(connection.status()) + repr(vars(connection))
    assert "canary" not in shown
    assert connection.status().last_outcome is failed.value.reason
    return failed.value


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  (threads and a vendor tell nobody)
            await asyncio.sleep(0)


@pytest.mark.parametrize("method", METHODS)
async def test_a_question_is_answered_over_mutual_tls_with_a_token(
    bench: Bench, vendor: SimulatedVendor, method: str
) -> None:
    connection = bench.to(vendor, method=method)
    assert (await ask(connection)).body == []
    assert (await ask(connection)).status == 200
    assert vendor.traffic.counts["token"] == 1
    seen = vendor.traffic.requests[-1]
    assert seen.certificate is not None
    assert (seen.certificate.common_name, seen.correlation_id) == ("sidecar", "c-1")
    status = connection.status()
    assert (status.last_outcome, status.credentials, status.problem) == ("ok", "good", "")
    assert status.certificate_ends is not None


async def test_many_questions_at_once_share_slots_sockets_and_one_token(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, wire={"concurrency": 4})
    vendor.latency_s = 0.005
    replies = await asyncio.gather(*(ask(connection) for _ in range(60)))
    assert {reply.status for reply in replies} == {200}
    assert vendor.traffic.most_in_flight <= 4
    assert vendor.traffic.counts["token"] == 1
    assert (connection.status().in_flight, connection.status().queued) == (0, 0)


async def test_a_full_queue_is_overload_at_once(bench: Bench, vendor: SimulatedVendor) -> None:
    connection = bench.to(vendor, wire={"concurrency": 1, "queue_length": 1})
    outcomes = await asyncio.gather(*(ask(connection) for _ in range(5)), return_exceptions=True)
    refused = [one.reason for one in outcomes if isinstance(one, LookupFailed)]
    assert refused == [Reason.OVERLOAD] * 3


async def test_a_token_that_the_vendor_refuses_is_replaced(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    assert vendor.tokens is not None
    vendor.tokens.revoke_all()
    assert (await failure_of(connection)).reason is Reason.AUTH
    generation = connection._line._generation
    assert generation is not None
    assert generation.tokens is not None
    generation.tokens._renewal.rest(0.0, LookupFailed(Reason.AUTH))  # a second has gone by
    assert (await ask(connection)).status == 200


async def test_a_wrong_client_secret_is_a_matter_of_auth(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    (folder / "secret").write_text("canary-wrong")
    connection = bench.to(vendor)
    failure = await failure_of(connection)
    assert (failure.reason, failure.detail) == (
        Reason.AUTH,
        "the token endpoint: HTTP 401 invalid_client",
    )
    assert connection.status().problem == failure.detail


async def test_a_vendor_of_another_authority_is_not_spoken_to(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    Authority.create("Another CA", now=wall_clock()).write(folder)
    failure = await failure_of(bench.connect(vendor.base_url))
    assert failure.reason is Reason.TLS
    assert "issuer is not trusted" in failure.detail
    assert not vendor.traffic.requests


async def test_the_system_is_not_trusted_beside_a_bundle(
    bench: Bench, vendor: SimulatedVendor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the vendor's authority as the system's, another bundle still shuts it out."""
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "system.pem"))
    (folder / "ca.pem").rename(folder / "system.pem")
    Authority.create("Another CA", now=wall_clock()).write(folder)
    assert (await failure_of(bench.connect(vendor.base_url))).reason is Reason.TLS
    trusting = bench.to(vendor, tls={"trust_bundle_file": None})
    assert (await ask(trusting)).status == 200


async def test_a_certificate_for_another_host_is_refused_unless_its_name_is_expected(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    authority.issue_server(["vendor.test"]).write(folder, "server")
    await vendor.present(VendorTls.in_folder(folder))
    failure = await failure_of(bench.connect(vendor.base_url))
    assert failure.reason is Reason.TLS
    assert "another" in failure.detail
    connection = bench.to(vendor, tls={"server_name": "vendor.test"})
    assert (await ask(connection)).status == 200


async def test_a_server_certificate_that_has_ended_is_refused(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    now = wall_clock()
    past = Validity(not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))
    authority.issue_server(validity=past).write(folder, "server")
    await vendor.present(VendorTls.in_folder(folder))
    failure = await failure_of(bench.connect(vendor.base_url))
    assert (failure.reason, failure.detail) == (
        Reason.TLS,
        "the server's certificate is refused: it has expired",
    )


@pytest.mark.parametrize("kind", ["none", "of another authority"])
async def test_a_client_that_the_vendor_refuses_hears_of_its_certificate(
    bench: Bench, vendor: SimulatedVendor, folder: Path, kind: str
) -> None:
    """Under TLS 1.3 the refusal comes after the handshake, as an alert or as a hang-up."""
    tls: dict[str, object] = {}
    if kind == "none":
        tls = {"certificate_file": None, "key_file": None}
    else:
        other = Authority.create("Another CA", now=wall_clock())
        other.issue_client("sidecar").write(folder, "client")
    failure = await failure_of(bench.connect(vendor.base_url, tls=tls))
    assert failure.reason in {Reason.TLS, Reason.UNREACHABLE}
    assert "certificate" in failure.detail.lower() or "UNKNOWN_CA" in failure.detail
    assert not vendor.traffic.requests


async def test_a_client_certificate_that_has_ended_is_not_shown_to_anybody(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    now = wall_clock()
    past = Validity(not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))
    authority.issue_client("sidecar", validity=past).write(folder, "client")
    connection = bench.to(vendor)
    failure = await failure_of(connection)
    assert failure.reason is Reason.TLS
    assert "the client certificate ended on" in failure.detail
    assert connection.status().credentials == "unusable"
    assert not vendor.traffic.requests


async def test_a_certificate_that_ends_while_in_use_is_not_shown_any_more(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    ends = connection.status().certificate_ends
    assert ends is not None
    late = Call(deadline=call().deadline, asked_at=ends)
    with pytest.raises(LookupFailed, match="ended on"):
        await connection.exchange.send(ASKED, late)


async def test_missing_files_are_read_again_by_later_exchanges_once_a_second(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    (folder / "client.key").rename(folder / "elsewhere")
    connection = bench.to(vendor)
    assert connection.status().credentials == "not read yet"
    assert "client.key cannot be read" in (await failure_of(connection)).detail
    (folder / "elsewhere").rename(folder / "client.key")
    assert (await failure_of(connection)).reason is Reason.TLS
    assert connection.status().credentials == "unusable"
    connection._line._opening.rest(0.0, LookupFailed(Reason.TLS))  # a second has gone by
    assert (await ask(connection)).status == 200
    assert connection.status().problem == ""


async def test_plain_http_is_refused_unless_it_is_said_to_be_insecure(bench: Bench) -> None:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response([])

    server = web.Server(handle)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    try:
        assert (await failure_of(bench.connect(base_url))).reason is Reason.CONFIGURATION
        insecure = bench.connect(base_url, insecure=True)
        assert (await ask(insecure)).body == []
        over_tls = bench.connect(base_url.replace("http:", "https:"))
        assert (await failure_of(over_tls)).reason is Reason.TLS
    finally:
        listener.close()
        await server.shutdown(0.1)


async def test_a_token_url_over_plain_http_is_refused_too(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.connect(vendor.base_url, vendor.token_url.replace("https:", "http:"))
    assert (await failure_of(connection)).reason is Reason.CONFIGURATION


@pytest.mark.parametrize(
    ("fault", "wire", "budget_s", "reason"),
    [
        (Refuse(), {}, 30, Reason.UNREACHABLE),
        (Hang(), {"exchange_timeout": "100ms"}, 30, Reason.UNREACHABLE),
        (Hang(), {}, 0.1, Reason.DEADLINE),
        (HangConnect(), {"connect_timeout": "50ms"}, 30, Reason.UNREACHABLE),
        (HangConnect(), {}, 0.1, Reason.DEADLINE),
        (Reset(), {}, 30, Reason.UNREACHABLE),
        (SlowDrip(piece_bytes=1, pause_s=5), {"exchange_timeout": "100ms"}, 30, Reason.UNREACHABLE),
        (GzipBomb(), {"response_body": "1MiB"}, 30, Reason.BAD_RESPONSE),
        (TooMany(), {}, 30, Reason.RATE_LIMITED),
    ],
)
async def test_a_vendor_in_trouble_gives_a_reason_and_is_fine_afterwards(
    bench: Bench,
    vendor: SimulatedVendor,
    fault: Any,
    wire: Mapping[str, str],
    budget_s: float,
    reason: Reason,
) -> None:
    connection = bench.to(vendor, wire=wire)
    await ask(connection)
    await vendor.faults.set(fault)
    assert (await failure_of(connection, budget_s)).reason is reason
    assert (connection.status().in_flight, connection.status().queued) == (0, 0)
    await vendor.faults.clear()
    assert (await ask(connection)).status == 200


async def test_an_issuer_that_is_down_is_a_matter_of_auth_and_not_of_the_vendor(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    await vendor.faults.set(Hang(where="token"))
    connection = bench.to(vendor, wire={"exchange_timeout": "50ms"})
    failure = await failure_of(connection)
    assert failure.reason is Reason.AUTH
    assert "the token endpoint: unreachable" in failure.detail


async def test_a_next_link_to_another_host_is_not_followed(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    exchange = bench.to(vendor).exchange
    assert exchange.within(ASKED, "https://evil.test/product?offset=1") is None
    assert exchange.within(ASKED, f"{vendor.base_url}product?offset=1") == VendorRequest(
        Api.PRODUCT_INVENTORY, "product", (("offset", "1"),)
    )


async def test_a_cancelled_question_gives_back_its_slot(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, wire={"concurrency": 1})
    await ask(connection)
    await vendor.faults.set(Hang())
    task = asyncio.get_running_loop().create_task(ask(connection))
    await eventually(lambda: vendor.traffic.in_flight > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert connection.status().in_flight == 0
    await vendor.faults.clear()
    assert (await ask(connection)).status == 200


async def test_nothing_is_opened_before_the_first_exchange_nor_left_after_the_last(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    threads = set(threading.enumerate())
    tasks = asyncio.all_tasks()
    connection = bench.to(vendor)
    assert asyncio.all_tasks() == tasks
    assert set(threading.enumerate()) == threads
    await asyncio.gather(*(ask(connection) for _ in range(5)))
    await connection.aclose()
    await vendor.stop()
    del connection
    gc.collect()  # a socket or a transport left open would warn, and a warning fails the test
    await eventually(lambda: not any("acme" in thread.name for thread in threading.enumerate()))
    await eventually(lambda: asyncio.all_tasks() == tasks)


async def test_a_closed_connection_says_so_and_closing_twice_is_fine(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    await connection.aclose()
    await connection.aclose()
    assert (await failure_of(connection)).reason is Reason.CONFIGURATION


async def test_no_log_at_any_level_holds_an_id_or_a_secret(
    bench: Bench, vendor: SimulatedVendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for method in METHODS:
        await ask(bench.to(vendor, method=method))
    await vendor.faults.set(Reset(where="all"))
    await failure_of(bench.to(vendor))
    assert "canary" not in caplog.text


async def test_an_egress_proxy_is_asked_for_a_tunnel(bench: Bench, vendor: SimulatedVendor) -> None:
    tunnels: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnels.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", vendor.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(pump(reader, up_writer))
                both.create_task(pump(up_reader, writer))
        except* OSError:
            pass
        finally:
            up_writer.transport.abort()
            writer.transport.abort()

    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    connection = bench.to(vendor, wire={"egress_proxy": f"http://127.0.0.1:{port}"})
    assert (await ask(connection)).status == 200
    assert set(tunnels) == {f"CONNECT 127.0.0.1:{vendor.port} HTTP/1.1".encode()}
    await connection.aclose()
    proxy.close()
    await proxy.wait_closed()


async def test_the_clock_of_a_question_is_used_and_no_other(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    late = Call(deadline=call().deadline, asked_at=datetime(2126, 1, 1, tzinfo=UTC))
    with pytest.raises(LookupFailed, match="the client certificate ended"):
        await connection.exchange.send(ASKED, late)
