"""Pedkai's incident path, with the sidecar well, dead, hanging, lying: each incident is created in
time, with what is known, and nothing is raised."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from pedkai_bss_client import SidecarBSSAdapter

from tests.client.double import (
    Behaviour,
    drips,
    floods,
    floods_the_head,
    hangs,
    hangs_up,
    in_turn,
    prices,
    problem,
    result,
    says,
    sidecar,
    written,
)
from tests.client.incident import Incident, IncidentService, PedkaiBSSAdapter
from tests.servers.patience import in_time, patiently
from tests.servers.stopwatch import stopwatch

CUSTOMERS = [uuid4() for _ in range(3)]
TIMEOUT_S = 0.3
SLACK_S = 0.1


class Adapter(SidecarBSSAdapter, PedkaiBSSAdapter):  # type: ignore[misc]  # models equal by name
    """As Pedkai would declare it, if it wants an instance of its own class."""


@asynccontextmanager
async def incidents(url: str, **more: object) -> AsyncIterator[IncidentService]:
    async with Adapter(url, timeout=TIMEOUT_S, **more) as adapter:
        yield IncidentService(adapter)


async def created_in_time(service: IncidentService) -> Incident:
    with stopwatch() as taken_s:
        incident = await service.create_incident(CUSTOMERS)
    assert service.swallowed == []
    in_time(taken_s(), TIMEOUT_S + SLACK_S)
    return incident


def assert_degraded(incident: Incident) -> None:
    assert incident.revenue_at_risk is None
    assert incident.is_estimate
    assert incident.needs_valuation
    assert incident.source == "unavailable"


@patiently
async def test_an_incident_gets_its_figure() -> None:
    fees = dict(zip(CUSTOMERS, ("19.99", "0.01", "30.10"), strict=True))
    async with sidecar(prices(fees)) as double, incidents(double.url) as service:
        incident = await created_in_time(service)
    assert isinstance(service.bss_adapter, PedkaiBSSAdapter)
    assert (incident.revenue_at_risk, incident.is_estimate, incident.needs_valuation) == (
        50.1,
        False,
        False,
    )


@patiently
async def test_a_dead_sidecar_leaves_the_incident_with_the_degraded_figure() -> None:
    async with sidecar(hangs) as double:
        url = double.url
    async with incidents(url) as service:
        assert_degraded(await created_in_time(service))


@patiently
async def test_a_socket_that_is_not_there_leaves_the_degraded_figure(tmp_path: Path) -> None:
    async with incidents(f"unix:{tmp_path}/absent.sock") as service:
        assert_degraded(await created_in_time(service))


@patiently
async def test_a_token_file_that_is_not_there_leaves_the_degraded_figure(tmp_path: Path) -> None:
    refuses = problem("unauthorized", 401)
    absent = tmp_path / "absent"
    async with sidecar(refuses) as double, incidents(double.url, token_file=absent) as service:
        assert_degraded(await created_in_time(service))


GOOD = json.dumps(result(30.0, 3)).encode()
LIES: dict[str, Behaviour] = {
    "hangs": hangs,
    "hangs up": hangs_up,
    "drips": drips,
    "floods": floods,
    "floods the head": floods_the_head,
    "says nothing": says(b""),
    "no JSON": says(b"<html>"),
    "no object": says([]),
    "no fields": says({}),
    "a field short": says({k: v for k, v in result(30.0, 3).items() if k != "source"}),
    "text for a number": says(result(30.0, 3) | {"total_revenue_at_risk": "30.0"}),
    "not a number": says(GOOD.replace(b"30.0", b"NaN")),
    "without end": says(GOOD.replace(b"30.0", b"1e999")),
    "less than nothing": says(result(-1.0, 3)),
    "others' counts": says(result(30.0, 4)),
    "a negative count": says(result(30.0, 4, -1)),
    "a total of nobody": says(result(30.0, 0, 3)),
    "no total of somebody": says(result(None, 3)),
    "contradicts itself": says(result(30.0, 2, 1) | {"requires_manual_valuation": False}),
    "nests deep": says(b"[" * 100_000),
    "is compressed": says(gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}),
    "no HTTP": in_turn(lambda _, w: _write(w, b"SSH-2.0-OpenSSH_9.9\r\n")),
    "half an answer": in_turn(lambda _, w: _write(w, written(GOOD)[:-5])),
    "moved": says(b"", status=307, headers={"Location": "http://192.0.2.1/"}),
    "no content": says(b"", status=204),
    "refuses": problem("invalid", 422),
    "refuses the token": problem("unauthorized", 401),
    "knows no such tenant": problem("unknown-tenant", 404),
    "breaks": problem("internal", 500),
    "is not there yet": says(b"upstream", status=503),
}


async def _write(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    writer.close()


@pytest.mark.parametrize("behave", LIES.values(), ids=LIES)
@patiently
async def test_whatever_the_sidecar_does_the_incident_is_created_in_time(
    behave: Behaviour,
) -> None:
    async with sidecar(behave) as double, incidents(double.url) as service:
        for _ in range(2):
            assert_degraded(await created_in_time(service))
        assert double.seen


@patiently
async def test_incidents_side_by_side_do_not_wait_for_each_other() -> None:
    async with sidecar(hangs) as double, incidents(double.url) as service:
        with stopwatch() as taken_s:
            created = await asyncio.gather(*(service.create_incident(CUSTOMERS) for _ in range(40)))
        for incident in created:
            assert_degraded(incident)
        in_time(taken_s(), TIMEOUT_S + 3 * SLACK_S)


async def test_once_the_sidecar_is_well_again_the_next_incident_has_its_figure() -> None:
    fees = dict.fromkeys(CUSTOMERS, "10.00")
    behave = in_turn(hangs, hangs_up, prices(fees))
    async with sidecar(behave) as double, incidents(double.url) as service:
        for _ in range(2):
            assert_degraded(await service.create_incident(CUSTOMERS))
        assert (await service.create_incident(CUSTOMERS)).revenue_at_risk == 30.0


@patiently
async def test_a_name_that_nobody_resolves_costs_no_more_than_the_timeout() -> None:
    asyncio.get_running_loop().getaddrinfo = _never  # type: ignore[method-assign]  # a dead resolver
    async with incidents("http://sidecar.invalid:8650") as service:
        assert_degraded(await created_in_time(service))


async def _never(*_args: object, **_options: object) -> list[object]:
    await asyncio.Event().wait()
    return []


async def test_a_late_event_loop_is_answered_on_its_first_turn() -> None:
    """It can't be answered sooner; it must not be kept for another timeout."""
    loop = asyncio.get_running_loop()
    async with sidecar(hangs) as double, incidents(double.url) as service:

        async def hold_up() -> float:
            await double.asked.wait()
            until = loop.time() + 2 * TIMEOUT_S
            while loop.time() < until:
                pass
            return until

        until, incident = await asyncio.gather(hold_up(), service.create_incident(CUSTOMERS))
        assert_degraded(incident)
        assert loop.time() - until < TIMEOUT_S / 2


@pytest.mark.parametrize("wrong", [None, 7, "text", [None], ["x"], [object()], [b""]])
async def test_what_is_no_list_of_ids_is_no_exception(wrong: object) -> None:
    async with sidecar(prices({})) as double, incidents(double.url) as service:
        found = await service.bss_adapter.get_revenue_at_risk(wrong)  # type: ignore[arg-type]
    assert (found.source, found.is_estimate, found.total_revenue_at_risk) == (
        "unavailable",
        True,
        None,
    )
    assert found.requires_manual_valuation
    assert double.seen == []
