"""The world that breaks: one sidecar in a process of its own, and everything that it leans on.

It has lanes that know nothing of each other: one for each vendor, with a relay before its APIs, one
before its token endpoint and one before its identity database; and the local database's. A fault
breaks one lane; the others go on.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulator import faults
from adapters.simulator.population import SHAPES, Shape
from adapters.simulator.vendor import SimulatedVendor
from tests.chaos import making
from tests.chaos.judge import Judge, Leeway, Question, Said
from tests.chaos.relay import Relay
from tests.chaos.sidecar import SidecarProcess
from tests.servers.patience import TooLate
from tests.servers.postgres import Postgres
from tests.servers.vendors import NOW

LONGEST_OPEN_S = 2.0
"""What the suite's breakers are set to; with jitter it may be half as much again."""
RECOVERY_S = 1.5 * LONGEST_OPEN_S + 3.0
"""One open time, one probe, the longest rest of a token endpoint at the suite's pace, slack."""
ROTATION_S = 20.0
"""A rotation is taken up well before."""
_POLL_S = 0.05
ANSWER_S = 10.0


class NotWell(AssertionError):  # noqa: N818  (what was found out)
    """A lane does not come back to full service, or tells of itself what is not so."""


class NotWellInTime(NotWell, TooLate):
    """It takes longer than it may, as it also does on a machine that is too busy."""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One connection of the sidecar, with the tenant behind it and all that it depends on."""

    name: str
    """Of the connection: the vendor's shape, or `local`."""
    source: str
    world: "World"
    relay: Relay | None
    """Before the vendor's APIs; before the local database, on PostgreSQL."""
    token_relay: Relay | None = None
    identity_relay: Relay | None = None
    """Only on PostgreSQL."""
    database: Path | None = None
    """The SQLite file of the identity database, or of the local one; where it is no PostgreSQL."""
    _vendor: SimulatedVendor | None = None
    pod_patience_s: float | None = None
    """When set, the pod hangs up after that."""
    address: str = "127.0.0.1"
    """Where the vendor is."""

    @property
    def tenant(self) -> str:
        return f"{self.name}_demo"

    @property
    def host(self) -> str:
        """The vendor's name, which the sidecar looks up in `World.names`."""
        return making.host(self.name)

    @property
    def vendor(self) -> SimulatedVendor:
        if self._vendor is None:
            raise LookupError(f"{self.name} has no pretend vendor")
        return self._vendor

    @property
    def has_postgres(self) -> bool:
        return self.database is None

    def question(self, kind: str, *numbers: int) -> Question:
        return Question(kind, self.tenant, self.source, numbers)  # type: ignore[arg-type]  # a literal

    def forget_tokens(self) -> None:
        """The vendor no longer knows the tokens that it gave."""
        assert self.vendor.tokens is not None
        self.vendor.tokens.revoke_all()

    @asynccontextmanager
    async def answering(self, *how: faults.Fault) -> AsyncIterator[None]:
        """With these faults at the pretend vendor."""
        await self.vendor.faults.set(*how)
        try:
            yield
        finally:
            for one in how:
                await self.vendor.faults.clear(one.name)

    async def move(self, address: str) -> None:
        """The vendor goes to another address, its token endpoint too, and its name with it."""
        for relay in (self.relay, self.token_relay):
            assert relay is not None
            await relay.move(address)
        self.address = address
        self.world.resolve(self.host, address)

    @contextmanager
    def resolving(self, address: str | None) -> Iterator[None]:
        """With this said of the vendor's name, as `World.resolve` does."""
        self.world.resolve(self.host, address)
        try:
            yield
        finally:
            self.world.resolve(self.host, self.address)

    async def trust(self, authority: Path) -> None:
        """Rotates the trust bundle; ends when the sidecar has taken it up.

        All connections are then made anew, also where the authority is the same.
        """
        before = await self._credentials_version()
        file = making.trust_bundle(self.world.folder, self.name)
        text = authority.read_text()  # noqa: ASYNC240  (a small file)
        making.write_whole(file, text + "\n" if text == file.read_text() else text)
        async with asyncio.timeout(ROTATION_S):
            while await self._credentials_version() == before:  # noqa: ASYNC110  (the status tells)
                await asyncio.sleep(_POLL_S)

    async def _credentials_version(self) -> object:
        return (await self.world.status())["connections"][self.name]["credentials_version"]

    async def until_well(self, within_s: float = RECOVERY_S) -> float:
        """Waits until everything is answered in full again; how long that took, in seconds.

        Raises `NotWellInTime`, or `NotWell` when the sidecar says otherwise of itself.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        few = self.question("revenue", *range(12))
        last: object = None
        while clock() < began + within_s:
            for question in (self.question("account", 6), few):
                said = await self.world.ask(question)
                verdict = self.world.judge.verdict(question, said, Leeway())
                if not verdict.is_full:
                    last = verdict
                    break
            else:
                took_s = clock() - began
                await self._check_what_it_says_of_itself()
                return took_s
            await asyncio.sleep(_POLL_S)
        raise NotWellInTime(f"{self.name} is not well again after {within_s:.1f} s: {last}")

    async def _check_what_it_says_of_itself(self) -> None:
        """The vendor's breaker is closed, and gauges and status agree about all of them."""
        for _ in range(20):
            told = await self.world.breakers(self.name)
            shown = await self.world.breaker_gauges(self.name)
            if told == shown and told.get("vendor", "closed") == "closed":
                return
            await asyncio.sleep(_POLL_S)
        raise NotWell(f"{self.name}: /v1/status says {told}, the gauge {shown}")


@dataclass(slots=True, kw_only=True)
class World:
    folder: Path
    judge: Judge
    sidecar: SidecarProcess
    session: aiohttp.ClientSession
    lanes: dict[str, Lane] = field(default_factory=dict)
    is_down: bool = False
    """The sidecar is being stopped or started on purpose; nobody is there to ask."""

    async def ask(self, question: Question, patience_s: float | None = None) -> Said | None:
        """As the pod asks; `None` where nothing comes back. `TimeoutError` when it hung up."""
        headers = {"X-Tenant-ID": question.tenant}
        method, path, body = making.request(question)
        url = self.sidecar.urls["data"] + path
        try:
            async with (
                asyncio.timeout(patience_s),
                self.session.request(method, url, headers=headers, json=body) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, TimeoutError) and patience_s is not None:
                raise
            return None
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Said(answer.status, names, content)

    async def hang_up(self) -> None:
        """The pod keeps no connection; the next question opens one."""
        old, self.session = self.session, making.session(ANSWER_S)
        await old.close()

    async def hang_up_for_good(self) -> None:
        await self.session.close()

    async def status(self) -> Any:
        """What `/v1/status` shows."""
        async with self.session.get(self.sidecar.urls["admin"] + "/v1/status") as answer:
            return await answer.json()

    async def metrics(self) -> str:
        async with self.session.get(self.sidecar.urls["ops"] + "/metrics") as answer:
            return await answer.text()

    async def breakers(self, lane: str) -> Mapping[str, str]:
        """The state of each breaker of a connection, as the status tells it."""
        told = (await self.status())["connections"][lane].get("breakers", {})
        return {name: one["state"] for name, one in told.items()}

    async def breaker_gauges(self, lane: str) -> Mapping[str, str]:
        """The same, as the metrics show it."""
        families = text_string_to_metric_families(await self.metrics())
        samples = (one for family in families for one in family.samples)
        return {
            one.labels["breaker"]: one.labels["state"]
            for one in samples
            if one.name == "bss_sidecar_breaker_state"
            and one.labels["connection"] == lane
            and one.value == 1
        }

    def resolve(self, name: str, address: str | None) -> None:
        """From now on a name has this address; `None`: none; `launch.HANGS`: it never comes."""
        names = json.loads((self.folder / "names.json").read_text())
        making.write_whole(self.folder / "names.json", json.dumps({**names, name: address}))

    def set_clock(self, ahead_s: float) -> None:
        """From now on the sidecar's wall clock is wrong by so much."""
        making.write_whole(self.folder / "clock", str(ahead_s))

    async def restart(self, within_s: float = 10.0) -> int:
        """SIGTERM, and a new sidecar; the exit status of the old one."""
        self.is_down = True
        try:
            status = await self.sidecar.stop(within_s)
            await self.sidecar.start()
        finally:
            self.is_down = False
        return status


@asynccontextmanager
async def world(
    folder: Path, postgres: Postgres | None, *, shapes: Sequence[Shape] = SHAPES
) -> AsyncIterator[World]:
    """Everything up, and every lane answering in full."""
    async with AsyncExitStack() as stack:
        made = World(
            folder=folder,
            judge=Judge([f"{one}_demo" for one in (*shapes, "local")], NOW),
            sidecar=SidecarProcess(folder),
            session=making.session(ANSWER_S),
        )
        stack.push_async_callback(made.hang_up_for_good)
        parts = await stack.enter_async_context(making.parts(folder, postgres, shapes))
        for name, part in parts.items():
            made.lanes[name] = Lane(
                name=name,
                source="bss_local" if name == "local" else name,
                world=made,
                relay=part.relay,
                token_relay=part.token_relay,
                identity_relay=part.identity_relay,
                database=part.database,
                _vendor=part.vendor,
            )
        stack.push_async_callback(made.sidecar.stop)
        await made.sidecar.start()
        for lane in made.lanes.values():
            await lane.until_well(30.0)
        yield made


def vendor_lanes(made: World) -> Iterator[Lane]:
    return (lane for lane in made.lanes.values() if lane.name != "local")
