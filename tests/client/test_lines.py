"""Connections: kept, never mixed up, given back, and gone with their event loop."""

import asyncio
import gc
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from pedkai_bss_client import RevenueResult, SidecarBSSAdapter
from pedkai_bss_client.address import address
from pedkai_bss_client.wire import HttpxWire

from tests.client.double import (
    Seen,
    hangs,
    hangs_up,
    in_turn,
    prices,
    result,
    says,
    sidecar,
    written,
)

IDS = [uuid4() for _ in range(3)]
FEES = dict.fromkeys(IDS, "10.00")


class Kept:
    """A closed event loop, and a moment at which another thread keeps one of its own."""

    def __init__(self, wire: HttpxWire) -> None:
        self._wire = wire

    def is_closed(self) -> bool:
        other = asyncio.new_event_loop()
        other.close()
        self._wire._kept[other] = cast("Any", None)
        return True


async def until(condition: "asyncio.Event | None" = None, *, turns: int = 50) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    if condition is not None:
        await condition.wait()


async def test_one_connection_serves_questions_one_after_the_other() -> None:
    async with sidecar(prices(FEES)) as double, SidecarBSSAdapter(double.url) as adapter:
        for _ in range(20):
            assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0
        assert double.connections == 1


async def test_a_connection_that_was_closed_in_between_costs_no_answer() -> None:
    """Also when the other end closes it as the question arrives."""
    good = prices(FEES)

    async def answers_and_closes(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await good(seen, writer)
        writer.close()

    for behave in (answers_and_closes, in_turn(good, hangs_up, good)):
        async with sidecar(behave) as double, SidecarBSSAdapter(double.url) as adapter:
            for _ in range(4):
                assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0
                await until()


async def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    """A sidecar that dies of a question must not get it twice."""
    async with sidecar(hangs_up) as double, SidecarBSSAdapter(double.url) as adapter:
        assert (await adapter.get_revenue_at_risk(IDS)).source == "unavailable"
        assert len(double.seen) == 1


async def test_the_rest_of_a_late_answer_is_never_the_next_questions() -> None:
    release = asyncio.Event()

    async def late(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(written(b"{}"))

    behave = in_turn(late, prices(FEES))
    async with sidecar(behave) as double, SidecarBSSAdapter(double.url, timeout=0.1) as adapter:
        assert (await adapter.get_revenue_at_risk(IDS)).source == "unavailable"
        release.set()
        adapter._timeout_s = 2.0
        assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0
        assert double.connections == 2


async def test_cancellation_passes_and_gives_the_connection_back() -> None:
    async with sidecar(hangs) as double, SidecarBSSAdapter(double.url, timeout=30) as adapter:
        for _ in range(50):
            double.asked.clear()
            question = asyncio.ensure_future(adapter.get_revenue_at_risk(IDS))  # noqa: TID251  (awaited below)
            await double.asked.wait()
            question.cancel()
            with pytest.raises(asyncio.CancelledError):
                await question
        for _ in range(1_000):
            if double.open_now == 0:
                break
            await asyncio.sleep(0.001)
        double.behave = prices(FEES)
        assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0
        assert double.open_now == 1


async def test_cancelled_at_any_moment_the_next_question_is_answered() -> None:
    """A pool that loses a connection to a cancelled waiter would be empty after these."""
    async with (
        sidecar(prices(FEES)) as double,
        SidecarBSSAdapter(double.url, timeout=30) as adapter,
    ):
        for turns in range(60):
            question = asyncio.ensure_future(adapter.get_revenue_at_risk(IDS))  # noqa: TID251  (awaited below)
            await until(turns=turns)
            question.cancel()
            await asyncio.gather(question, return_exceptions=True)
        answers = await asyncio.gather(*(adapter.get_revenue_at_risk(IDS) for _ in range(40)))
        assert {one.total_revenue_at_risk for one in answers} == {30.0}


async def test_many_questions_at_once_leave_few_connections_behind() -> None:
    async with (
        sidecar(prices(FEES)) as double,
        SidecarBSSAdapter(double.url, timeout=30) as adapter,
    ):
        answers = await asyncio.gather(*(adapter.get_revenue_at_risk(IDS) for _ in range(60)))
        assert {one.total_revenue_at_risk for one in answers} == {30.0}
        for _ in range(1_000):
            if double.open_now <= 8:
                break
            await asyncio.sleep(0.001)
        assert double.open_now <= 8
        await adapter.aclose()
        for _ in range(1_000):
            if double.open_now == 0:
                break
            await asyncio.sleep(0.001)
        assert double.open_now == 0
        assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0


async def test_it_works_over_a_unix_socket(tmp_path: Path) -> None:
    async with sidecar(prices(FEES), tmp_path / "bss-sidecar.sock") as double:
        for url in (double.url, double.url.replace("unix:", "unix://")):
            async with SidecarBSSAdapter(url) as adapter:
                assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sidecar(says(b"the proxy")) as proxy, sidecar(prices(FEES)) as double:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with SidecarBSSAdapter(double.url) as adapter:
            assert (await adapter.get_revenue_at_risk(IDS)).total_revenue_at_risk == 30.0
        assert proxy.connections == 0


def test_one_adapter_serves_one_event_loop_after_the_other() -> None:
    """And leaves no connection open in any of them, without being told to close."""
    adapter = SidecarBSSAdapter("http://127.0.0.1:1")

    async def ask() -> tuple[RevenueResult, int]:
        async with sidecar(prices(FEES)) as double:
            adapter._asker._wire._address = type(adapter._asker._wire._address)(double.url)  # type: ignore[attr-defined]  # another port each time
            found = await adapter.get_revenue_at_risk(IDS)
            assert await adapter.get_revenue_at_risk(IDS) == found
            return found, double.connections

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # An event loop that another test left behind; its own pipe is no connection of ours.
        warnings.filterwarnings("ignore", "unclosed .*(AF_UNIX|family=1,)", ResourceWarning)
        for _ in range(3):
            found, connections = asyncio.run(ask())
            assert (found.total_revenue_at_risk, connections) == (30.0, 1)
            gc.collect()
    assert len(adapter._asker._wire._kept) == 1, "loops that are closed are forgotten"  # type: ignore[attr-defined]  # to look inside


def test_threads_with_loops_of_their_own_share_an_adapter() -> None:
    async def serve_and_ask() -> list[RevenueResult]:
        async with sidecar(prices(FEES)) as double:
            adapter = SidecarBSSAdapter(double.url)

            async def ask_many() -> RevenueResult:
                for _ in range(20):
                    found = await adapter.get_revenue_at_risk(IDS)
                return found

            threads = (asyncio.to_thread(asyncio.run, ask_many()) for _ in range(4))
            return [*await asyncio.gather(*threads), await ask_many()]

    assert {one.total_revenue_at_risk for one in asyncio.run(serve_and_ask())} == {30.0}


async def test_an_adapter_that_is_dropped_closes_its_connections() -> None:
    async with sidecar(prices(FEES)) as double:
        for _ in range(5):
            await SidecarBSSAdapter(double.url).get_revenue_at_risk(IDS)
            gc.collect()
        for _ in range(1_000):
            if double.open_now == 0:
                break
            await asyncio.sleep(0.001)
        assert double.open_now == 0


FRESH = """
import sys, asyncio, threading, warnings
warnings.simplefilter("error")
import pedkai_bss_client
assert not {"httpx", "httpcore", "anyio", "h11", "certifi"} & set(sys.modules), "imported"
assert threading.active_count() == 1
adapter = pedkai_bss_client.SidecarBSSAdapter(sys.argv[1])
assert "httpx" in sys.modules
before = set(sys.modules)
found = asyncio.run(adapter.get_revenue_at_risk([]))
assert found.source == "amdocs", found
late = {name for name in set(sys.modules) - before if name.split(".")[0] not in {"encodings"}}
assert len(late) < 12, late
assert not any(name.startswith(("anyio._backends", "httpcore", "h11")) for name in late), late
"""


async def test_importing_it_costs_nothing_and_a_first_question_imports_nothing() -> None:
    """httpx takes over 100 ms: at start, where the adapter is made, and in no incident."""
    async with sidecar(says(result(None, 0))) as double:
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", FRESH, double.url],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")


async def test_an_event_loop_of_another_thread_may_come_while_closed_ones_are_forgotten() -> None:
    wire = HttpxWire(address("http://127.0.0.1:9"))
    kept = Kept(wire)
    wire._kept[cast("asyncio.AbstractEventLoop", kept)] = cast("Any", None)
    assert await wire._lines() is await wire._lines()
    assert kept not in wire._kept
    await wire.aclose()
