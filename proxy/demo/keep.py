"""A demo that goes on: what a person can try, until a signal ends it."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.simulator.population import SHAPES, customer_id
from proxy.demo.children import Child
from proxy.demo.murmur import murmur
from proxy.demo.screen import Cell, Screen
from proxy.demo.stage import TENANTS, Stage

SOMEBODY = {6: "two products", 5: "in dispute", 8: "no price"}
"""Customer number → what is special about it, by the demo's numbering."""


async def keep(screen: Screen, stage: Stage, *, until: asyncio.Event) -> None:
    """Prints what can be tried, and leaves all running until the event is set."""
    screen.title("All of it goes on running. See it, and break it:")
    screen.line(f"  {stage.page_url}", "bold")
    screen.note("That is its status page. Buttons there: Cut, Slow, Restore for each vendor, and")
    screen.note("Rotate the certificate. A pretend pod asks some questions each second.")
    screen.line()
    screen.note("The same in a terminal, and more:")
    for line in _commands(stage):
        screen.line(f"  {line}")
    screen.line()
    screen.note("Ask it yourself:")
    for line in _questions(stage):
        screen.line(f"  {line}")
    screen.line()
    screen.note("X-Tenant-ID and ids to try:")
    screen.table(
        ["tenant", *SOMEBODY.values()],
        [
            [Cell(tenant, "cyan"), *(Cell(str(customer_id(tenant, n))) for n in SOMEBODY)]
            for tenant in TENANTS
        ],
    )
    screen.line()
    screen.note("Cut a vendor from here, and heal it (GET / lists the faults and their knobs):")
    for line in _faults(stage):
        screen.line(f"  {line}")
    screen.line()
    for child in stage.children.running:
        screen.note(f"{child.name:<10} process {child.process.pid}, log {child.log}")
    screen.note(f"configuration {stage.configuration_file}")
    screen.note("Ctrl-C or SIGTERM ends all of it.")
    screen.line(f"demo ready: {stage.data_url}")
    async with asyncio.TaskGroup() as tasks:
        going_on = [tasks.create_task(_tell_the_end(one)) for one in stage.children.running]
        going_on.append(tasks.create_task(murmur(stage)))
        await until.wait()
        for task in going_on:
            task.cancel()


async def _tell_the_end(child: Child) -> None:
    status = await child.process.wait()
    sys.stderr.write(f"{child.name} ended with status {status}; its log is {child.log}\n")


def _commands(stage: Stage) -> Iterator[str]:
    here = Path(sys.argv[0])
    command = str(here) if here.name == "bss-sidecar" else "bss-sidecar"
    yield f"export BSS_SIDECAR_CONFIG={stage.configuration_file}"
    for rest in ("status --watch", "doctor", "breaker amdocs open", "certs show"):
        yield f"{command} {rest}"


def _questions(stage: Stage) -> Iterator[str]:
    tenant = "amdocs_demo"
    customer = customer_id(tenant, 6)
    post = f"-H 'X-Tenant-ID: {tenant}' -H 'Content-Type: application/json'"
    body = f"""-d '{{"customer_ids": ["{customer}"]}}'"""
    account = f"/v1/customers/{customer}/billing-account"
    yield f"curl -i {stage.data_url}{account} -H 'X-Tenant-ID: {tenant}'"
    yield f"curl -i {stage.data_url}/v1/revenue-at-risk {post} {body}"
    yield f"curl -i {stage.data_url}/v1/disputes {post} {body}"
    yield f"curl -s http://127.0.0.1:{stage.ports.admin}/v1/status"
    yield f"curl -s http://127.0.0.1:{stage.ports.ops}/metrics"


def _faults(stage: Stage) -> Iterator[str]:
    control = stage.control_url(SHAPES[0])
    yield f"curl -s {control}/"
    yield f"curl -X PUT {control}/fault/hang"
    yield f"""curl -X PUT {control}/fault/latency -d '{{"delay_s": 0.3}}'"""
    yield f"curl -X DELETE {control}/fault"
