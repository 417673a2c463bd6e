"""Who speaks to whom: certificates, host names, trust, and files that are bad or missing."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from adapters.call import Call
from adapters.lookup import wall_clock
from adapters.outcome import LookupFailed, Reason
from adapters.simulator import faults
from adapters.simulator.certificates import Authority, Validity
from adapters.simulator.tls import VendorTls
from adapters.simulator.vendor import SimulatedVendor
from tests.integration.connecting import (
    ASKED,
    Bench,
    ask,
    authority,
    bench,
    call,
    data,
    eventually,
    failure_of,
    folder,
    vendor,
)

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures


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
    assert "client.pem ended on" in failure.detail
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


async def test_the_status_says_why_the_latest_exchange_failed(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, guard={"retry": {"attempts": 1}})
    assert (await ask(connection)).status == 200
    await vendor.faults.set(faults.Status(status=500, times=1))
    failure = await failure_of(connection)
    assert connection.status().problem == failure.detail == "HTTP 500"
    assert (await ask(connection)).status == 200
    assert connection.status().problem == ""


async def test_a_connection_comes_alive_when_its_files_are_all_there(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    (folder / "client.key").rename(folder / "elsewhere")
    connection = bench.to(vendor)
    assert connection.status().credentials == "not read yet"
    assert "client.key cannot be read" in (await failure_of(connection)).detail
    assert connection.status().credentials == "unusable"
    (folder / "elsewhere").rename(folder / "client.key")
    await eventually(lambda: connection.status().credentials == "good")
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


async def test_the_clock_of_a_question_is_used_and_no_other(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    late = Call(deadline=call().deadline, asked_at=datetime(2126, 1, 1, tzinfo=UTC))
    with pytest.raises(LookupFailed, match="the client certificate ended"):
        await connection.exchange.send(ASKED, late)
