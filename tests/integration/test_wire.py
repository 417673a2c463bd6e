"""A connection to a pretend vendor, through its whole stack."""

import asyncio
import gc
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.exchange import Api, VendorRequest
from adapters.outcome import LookupFailed, Reason
from adapters.simulator.faults import GzipBomb, Hang, HangConnect, Refuse, Reset, SlowDrip, TooMany
from adapters.simulator.vendor import SimulatedVendor
from tests.integration.connecting import (
    ASKED,
    METHODS,
    Bench,
    ask,
    authority,
    bench,
    data,
    eventually,
    failure_of,
    folder,
    vendor,
)

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures


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


async def test_a_token_that_the_vendor_refuses_is_replaced_within_the_same_questions(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    assert vendor.tokens is not None
    vendor.tokens.revoke_all()
    replies = await asyncio.gather(*(ask(connection) for _ in range(100)))
    assert {reply.status for reply in replies} == {200}
    assert vendor.traffic.counts["token"] == 2
    assert connection.status().token_version == 2


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
    connection.force("vendor", "closed")  # one that asked to be left alone would be
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
