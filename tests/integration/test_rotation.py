"""Rotation under load: nobody notices, nothing old is used, and nothing is left behind."""

import asyncio
import gc
import resource
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import aiohttp
import pytest

from adapters.lookup import wall_clock
from adapters.outcome import Reason
from adapters.simulator.certificates import Authority
from adapters.simulator.vendor import SimulatedVendor
from proxy.generation import Generation, Sockets
from proxy.lifecycle import give_memory_back
from tests.integration.connecting import authority, data, failure_of, folder, vendor
from tests.integration.rotating import (
    FULL,
    MOUNTS,
    Mount,
    MountKind,
    Turning,
    connection,
    know_secret,
    mounted,
    often,
    show_server,
    turning,
    under_load,
    until,
)

__all__ = ["authority", "connection", "data", "folder", "turning", "vendor"]  # fixtures

STEADY = 20
A_LITTLE_BYTES = 16 * 1024 * 1024
COUNTED = (ssl.SSLContext, aiohttp.ClientSession, aiohttp.TCPConnector, Generation, Sockets)


@pytest.fixture(params=MOUNTS if FULL else MOUNTS[:1])
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mount]:
    kind: MountKind = request.param
    with mounted(kind, tmp_path) as one:
        yield one


async def test_a_new_certificate_and_key_cost_nobody_an_answer_and_the_old_is_not_used_again(
    vendor: SimulatedVendor, authority: Authority, turning: Turning
) -> None:
    vendor.latency_s = 0.005
    async with under_load(turning.connection) as load:
        for _ in range(often(50, short=5)):
            await turning.to(replace(turning.papers, client=authority.issue_client("sidecar")))
            await load.a_round()
            assert load.with_an_old_identity(vendor) == []
            assert load.asked_twice(vendor) == []
            load.forget(vendor)
    assert load.failures == []
    turning.tell("certificate and key")


async def test_an_authority_is_added_then_the_old_one_removed_and_then_it_is_refused(
    vendor: SimulatedVendor, folder: Path, turning: Turning
) -> None:
    async with under_load(turning.connection) as load:
        for number in range(often(10, short=2)):
            (old,) = turning.papers.trust
            new = Authority.create(f"CA {number}", now=wall_clock())
            await turning.to(replace(turning.papers, trust=(old, new)))
            show_server(vendor, new.issue_server(), folder)
            await turning.to(replace(turning.papers, trust=(new,)))
            await load.a_round()
    assert load.failures == []
    show_server(vendor, old.issue_server(), folder)
    vendor.drop_connections()
    failure = await failure_of(turning.connection)
    assert failure.reason is Reason.TLS
    assert "not trusted" in failure.detail
    turning.tell("trust bundle")


async def test_connections_of_an_authority_that_was_removed_are_not_used_again(
    vendor: SimulatedVendor, turning: Turning
) -> None:
    """They were opened while it was trusted, and would work on."""
    async with under_load(turning.connection):
        pass
    await turning.to(
        replace(turning.papers, trust=(Authority.create("Another CA", now=wall_clock()),))
    )
    before = vendor.traffic.counts["product"]
    assert (await failure_of(turning.connection)).reason is Reason.TLS
    assert vendor.traffic.counts["product"] == before


async def test_a_new_secret_gets_a_token_of_its_own_and_the_old_ones_are_not_used_again(
    vendor: SimulatedVendor, turning: Turning
) -> None:
    assert vendor.tokens is not None
    async with under_load(turning.connection) as load:
        for number in range(often(20, short=4)):
            of_the_old_secret = set(vendor.tokens._expiry)
            fetched = vendor.traffic.counts["token"]
            know_secret(vendor, f"canary-secret-{number}")
            await turning.to(replace(turning.papers, secret=f"canary-secret-{number}"))
            await load.a_round()
            assert vendor.traffic.counts["token"] == fetched + 1
            for token in of_the_old_secret:
                vendor.tokens._expiry.pop(token, None)
            await load.a_round()
            load.forget(vendor)
    assert load.failures == []
    assert vendor.traffic.replies[401] == 0
    turning.tell("client secret")


async def test_many_rotations_leave_nothing_behind(
    vendor: SimulatedVendor, authority: Authority, turning: Turning
) -> None:
    async def turn() -> None:
        async with under_load(turning.connection):
            await turning.to(replace(turning.papers, client=authority.issue_client("sidecar")))
        vendor.traffic.forget()

    give_memory_back()  # as the sidecar does at its start
    for _ in range(often(10, short=1)):
        await turn()
    before = await at_rest(turning, vendor)
    first_half: list[int] = []
    second_half: list[int] = []
    for held in (first_half, second_half):
        for _ in range(often(20, short=2)):
            await turn()
            held.append(resident_bytes())
    assert await at_rest(turning, vendor) == before
    if FULL:  # what the allocator holds goes up and down by megabytes from one turn to the next
        assert median(second_half) - median(first_half) < A_LITTLE_BYTES


async def at_rest(turning: Turning, vendor: SimulatedVendor) -> Counter[str]:
    """Tasks, open files, and what is alive of what a generation is made of, while nobody asks."""
    connection = turning.connection
    await until(lambda: connection.status().in_flight == 0)
    await until(lambda: connection.status().closing == 0)
    vendor.drop_connections()  # how many of them are idle is a matter of chance
    await until(lambda: not vendor._server or not vendor._server.connections)
    files = await steady(lambda: len(list(Path("/proc/self/fd").iterdir())))
    tasks = await steady(lambda: len(asyncio.all_tasks()))
    gc.collect()
    alive = Counter(type(one).__name__ for one in gc.get_objects() if isinstance(one, COUNTED))
    return alive + Counter(tasks=tasks, files=files)


async def steady(count: Callable[[], int]) -> int:
    """Sockets and tasks end a few turns of the event loop after they were told to."""
    counts = [count()]

    def is_steady() -> bool:
        counts.append(count())
        return len(counts) > STEADY and len(set(counts[-STEADY:])) == 1

    await until(is_steady)
    return counts[-1]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
