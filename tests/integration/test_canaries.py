"""Nothing personal and no secret is told to anybody but the pod that asked: not in a log at any
level, a problem, a metric, the status page, or on standard error.

One sidecar, as a process of its own with everything that logs turned up, is driven through every
path there is; after each, all that it has said so far is searched.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest
import pytest_asyncio

from adapters.simulator import faults
from adapters.simulator.population import SHAPES, customer_id
from tests.integration.spilling import EVERY_FAULT, NO_HTTP
from tests.servers import sidecar
from tests.servers.canaries import MARK, Canaries
from tests.servers.rude import RudeVendor
from tests.servers.secretive import BROKEN, ENVIRONMENT, canaries_of, secretive
from tests.servers.sidecar import Demonstration, Stage, served

BATCH = (0, 5, 6, 7, 8, 9)
HASTY = {"X-Request-Timeout-Ms": "250"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Watched:
    """The sidecar, what it stands on, and what must not be found."""

    running: Demonstration
    rude: RudeVendor
    canaries: Canaries

    @property
    def stage(self) -> Stage:
        return self.running.stage

    async def ask(self, tenant: str, headers: Mapping[str, str] = HASTY) -> list[sidecar.Reply]:
        """Every question, side by side."""
        ids = [str(customer_id(tenant, number)) for number in BATCH]
        pod, named = self.running.data, {"X-Tenant-ID": tenant, **headers}
        body = {"customer_ids": ids}
        return await asyncio.gather(
            *(
                pod.ask("GET", f"/v1/customers/{one}/billing-account", headers=named)
                for one in ids[2:]
            ),
            pod.ask("POST", "/v1/revenue-at-risk", headers=named, json=body),
            pod.ask("POST", "/v1/disputes", headers=named, json=body),
        )

    async def healed(self) -> None:
        """A second after a failed attempt the sidecar asks for a token again."""
        for shape in SHAPES:
            for _ in range(100):
                tenant = f"{shape}_demo"
                if (await self.running.data.account(tenant, customer_id(tenant, 0))).status == 200:
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("it does not recover")

    async def search(self) -> None:
        """All that was said so far, and the pages that anybody may see."""
        for vendor in self.running.vendors.values():
            assert vendor.tokens is not None
            self.canaries.texts |= set(vendor.tokens._expiry)
        assert self.canaries.found_in(await asyncio.to_thread(self._written)) == set()
        for listener, path in (("ops", "/metrics"), ("ops", "/readyz"), ("admin", "/")):
            reply = await self.running.pods[listener].ask("GET", path)
            assert self.canaries.found_in(_whole(reply)) == set()
        status = await self.running.pods["admin"].ask("GET", "/v1/status")
        assert status.status == 200
        assert self.canaries.found_in(_whole(status)) == set()

    def _written(self) -> str:
        files = (self.stage.folder / name for name in ("stdout", "stderr"))
        return "\n".join(file.read_text(errors="replace") for file in files)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with secretive(tmp_path_factory.mktemp("stage")) as (stage, rude):
        env = {**ENVIRONMENT, "PYTHONWARNINGS": "default"}
        async with served(stage, env=env) as running:
            yield Watched(running, rude, canaries_of(stage))
        last_words = (stage.folder / "stderr").read_text()
        assert last_words == ""


def _break(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.database)) as database:
        database.execute("ALTER TABLE customers RENAME TO gone")


def _whole(reply: sidecar.Reply) -> str:
    return f"{reply.headers} {reply.body.decode()}"


async def test_right_answers_reach_the_pod_and_nobody_else(watched: Watched) -> None:
    for tenant in (*(f"{shape}_demo" for shape in SHAPES), "local_demo"):
        replies = await watched.ask(tenant, headers={})
        accounts = [one for one in replies[:-2] if one.status == 200]
        assert len(accounts) >= 3
        for reply in (*accounts, replies[-2]):
            watched.canaries.add_answer(reply.body)
        assert MARK in accounts[0].json()["plan_name"]
    assert len(watched.canaries.texts) > 100
    await watched.search()


@pytest.mark.parametrize("name", EVERY_FAULT)
async def test_a_vendor_that_fails_gives_nothing_away(watched: Watched, name: str) -> None:
    await watched.healed()
    fault = EVERY_FAULT[name]
    for vendor in watched.running.vendors.values():
        assert vendor.tokens is not None
        if fault.where == "token":
            vendor.tokens.revoke_all()
        await vendor.faults.set(fault)
    try:
        replies = await asyncio.gather(*(watched.ask(f"{shape}_demo") for shape in SHAPES))
    finally:
        for vendor in watched.running.vendors.values():
            await vendor.faults.clear()
    for reply in (one for told in replies for one in told if one.status >= 400):
        assert watched.canaries.found_in(_whole(reply)) == set()
    await watched.search()


@pytest.mark.parametrize("kind", NO_HTTP)
async def test_a_vendor_that_speaks_no_http_gives_nothing_away(watched: Watched, kind: str) -> None:
    watched.rude.says = NO_HTTP[kind].encode()
    replies = await watched.ask("rude_demo", headers={})
    for reply in replies[:-2]:
        assert reply.status == 503
        assert watched.canaries.found_in(_whole(reply)) == set()
    await watched.search()


@pytest.mark.parametrize("name", BROKEN[1:])
async def test_a_connection_with_bad_secrets_gives_none_of_them_away(
    watched: Watched, name: str
) -> None:
    for reply in (await watched.ask(f"{name}_demo", headers={}))[:-2]:
        assert reply.status == 503
        assert watched.canaries.found_in(_whole(reply)) == set()
    await watched.search()


ID = str(customer_id("amdocs_demo", 6))
ACCOUNT = f"/v1/customers/{ID}/billing-account"
REVENUE = "/v1/revenue-at-risk"
TENANT = {"X-Tenant-ID": "amdocs_demo"}
AS_JSON = {**TENANT, "Content-Type": "application/json"}
BAD_REQUESTS: Mapping[str, tuple[str, str, Mapping[str, str], bytes | None]] = {
    "no uuid": ("GET", f"/v1/customers/{MARK}/billing-account", TENANT, None),
    "half a uuid": ("GET", f"/v1/customers/{ID}{MARK}/billing-account", TENANT, None),
    "unknown route": ("GET", f"/v1/{MARK}/{ID}", TENANT, None),
    "wrong method": ("PUT", ACCOUNT, AS_JSON, f'"{ID}"'.encode()),
    "query": ("GET", f"{ACCOUNT}?{MARK}={ID}", TENANT, None),
    "no tenant": ("GET", ACCOUNT, {}, None),
    "unknown tenant": ("GET", ACCOUNT, {"X-Tenant-ID": "nobody_demo"}, None),
    "bad time": ("GET", ACCOUNT, {**TENANT, "X-Request-Timeout-Ms": MARK}, None),
    "bad token": ("GET", ACCOUNT, {**TENANT, "Authorization": f"Bearer {MARK}"}, None),
    "foreign host": ("GET", ACCOUNT, {**TENANT, "Host": f"{MARK}.example"}, None),
    "foreign origin": ("POST", REVENUE, {**AS_JSON, "Origin": f"https://{MARK}.example"}, b"{}"),
    "bad type": ("POST", REVENUE, {**TENANT, "Content-Type": MARK}, f'"{ID}"'.encode()),
    "no json": ("POST", REVENUE, AS_JSON, f'{{"customer_ids": ["{ID}", {MARK}'.encode()),
    "not a list": ("POST", REVENUE, AS_JSON, f'{{"customer_ids": "{ID}"}}'.encode()),
    "bad element": ("POST", REVENUE, AS_JSON, f'{{"customer_ids": ["{MARK}"]}}'.encode()),
    "unknown member": ("POST", REVENUE, AS_JSON, f'{{"{MARK}": "{ID}"}}'.encode()),
    "member twice": ("POST", REVENUE, AS_JSON, f'{{"{MARK}": 1, "{MARK}": 2}}'.encode()),
    "not utf-8": ("POST", REVENUE, AS_JSON, f'{{"{MARK}": "'.encode() + b'\xff"}'),
    "too many": ("POST", REVENUE, AS_JSON, json.dumps({"customer_ids": [ID] * 201}).encode()),
    "too large": ("POST", REVENUE, AS_JSON, MARK.encode() * 20_000),
    "bad cache": ("DELETE", f"/v1/customers/{MARK}/cache", AS_JSON, None),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_not_repeated_to_anybody(watched: Watched, name: str) -> None:
    method, path, headers, body = BAD_REQUESTS[name]
    for pod in watched.running.pods.values():
        reply = await pod.ask(method, path, headers=headers, data=body)
        assert reply.status >= 400 or name in {"query", "bad token"}
        if reply.status >= 400:
            assert watched.canaries.found_in(_whole(reply)) == set()
    await watched.search()


@pytest.mark.parametrize(
    "said",
    [
        f"{MARK} {ID}\r\n\r\n",
        f"GET /{MARK} HTTP/9.9\r\n\r\n",
        f"GET {ACCOUNT} HTTP/1.1\r\n{MARK} {MARK}\r\n\r\n",
        f"POST {REVENUE} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MARK}\r\n\r\n{ID}",
        f"GET /{MARK * 3000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["no request", "no version", "no header", "no length", "no end"],
)
async def test_what_is_no_request_is_not_repeated_to_anybody(watched: Watched, said: str) -> None:
    for pod in watched.running.pods.values():
        port = int(pod.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said.encode())
        answer = (await reader.read()).decode()
        writer.close()
        assert answer.startswith("HTTP/1.")
        assert watched.canaries.found_in(answer) == set()
    await watched.search()


async def test_a_caller_who_hangs_up_leaves_no_trace(watched: Watched) -> None:
    await watched.running.vendors["amdocs"].faults.set(faults.Hang())
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await watched.ask("amdocs_demo", headers={})
    finally:
        await watched.running.vendors["amdocs"].faults.clear()
    await watched.search()


async def test_a_broken_database_gives_no_parameters_away(watched: Watched) -> None:
    """The last of these tests: nothing answers from this database afterwards."""
    numbers = [str(customer_id("amdocs_demo", number)) for number in range(900, 905)]
    watched.canaries.texts |= set(numbers)
    await asyncio.to_thread(_break, watched.stage)
    replies = await watched.ask("local_demo", headers={})
    assert {reply.status for reply in replies[:-2]} == {503}
    reply = await watched.running.data.ask(
        "POST", REVENUE, headers=TENANT, json={"customer_ids": numbers}
    )
    assert reply.headers["bss-degraded"] == "identity;unavailable=5"
    for one in replies[:-2]:
        assert watched.canaries.found_in(_whole(one)) == set()
    await watched.search()
