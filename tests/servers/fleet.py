"""Sidecars that share one Redis: each a process of its own, all before one pretend vendor.

What each of them has mounted (its key rings, its certificates for Redis) is its own too, so that
they can be turned over one after the other, as the kubelets of a fleet do.
"""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families

from adapters.simulator.population import CUSTOMERS, customer_id, identity_rows
from adapters.simulator.vendor import SimulatedVendor
from proxy.cache.envelope import QUESTIONS
from proxy.cache.keys import new_key, parse_ring
from proxy.cache.names import Names, Question
from tests.servers.mount import KubernetesMount
from tests.servers.redis import RedisServer
from tests.servers.redis_kinds import Kind, running_kind
from tests.servers.sidecar import Demonstration, Reply, Stage, served
from tests.servers.vendors import PATIENT, Setup, connection_setting, vendor

TENANT, CONNECTION = "amdocs_demo", "amdocs"
NEIGHBOUR = "neighbour"
"""A second tenant on the same connection, with the same customers."""
STRANGER = "stranger"
"""A tenant on another connection to the same vendor, to whom each id is another customer's."""
SHIFT = 1
"""Customer `n` of the stranger is the vendor's customer `n + SHIFT`."""
FORGET = {"Content-Type": "application/json"}
PROBE = 999
"""A customer of whom no test says anything."""
PATIENT_READS: Mapping[str, Any] = {"read_budget": "5s", "ttl": "5m", "negative_ttl": "1s"}
WAIT_S = 30.0
"""For what takes a second or two, on a machine that may be busy."""
_PRICED = iter([n for n in range(40, 900) if n % 10 < 5 and n % 250 != 240])


def somebody() -> int:
    """A customer with a fee, whom no other test of this process asks about."""
    return next(_PRICED)


def who(number: int) -> UUID:
    return customer_id(TENANT, number)


@dataclass(frozen=True, slots=True)
class Rings:
    """The keys of both rings, in their order, as their files have them."""

    master: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)

    @classmethod
    def new(cls) -> "Rings":
        return cls((new_key(),), (new_key(),))

    def files(self) -> Mapping[str, bytes]:
        pairs = ("master", self.master), ("names", self.names)
        return {name: "".join(f"{key}\n" for key in keys).encode() for name, keys in pairs}

    def named(self) -> Names:
        return Names(parse_ring(self.files()["names"]))


@dataclass(slots=True)
class Member:
    """One sidecar of the fleet."""

    running: Demonstration
    mount: KubernetesMount
    rings: Rings

    async def account(self, number: int, tenant: str = TENANT) -> Reply:
        return await self.running.data.account(tenant, who(number))

    async def revenue(self, *numbers: int, tenant: str = TENANT) -> Reply:
        return await self.running.data.revenue(tenant, [who(number) for number in numbers])

    async def disputes(self, *numbers: int, tenant: str = TENANT) -> Reply:
        return await self.running.data.disputes(tenant, [who(number) for number in numbers])

    async def forget(self, number: int, tenant: str = TENANT) -> Reply:
        path = f"/v1/customers/{who(number)}/cache"
        headers = {"X-Tenant-ID": tenant, **FORGET}
        return await self.running.data.ask("DELETE", path, headers=headers)

    async def status(self) -> Mapping[str, Any]:
        """What the status page shows of the cache."""
        shown: Mapping[str, Any] = (await self.running.admin.ask("GET", "/v1/status")).json()
        cache: Mapping[str, Any] = shown["cache"]
        return cache

    async def metrics(self) -> "Figures":
        text = (await self.running.ops.ask("GET", "/metrics")).body.decode()
        return Figures(
            {
                (one.name, *sorted(one.labels.values())): one.value
                for family in text_string_to_metric_families(text)
                for one in family.samples
            }
        )

    async def turn(self, rings: Rings) -> None:
        """Returns when it has taken up these keys."""
        if rings == self.rings:
            return
        self.rings = rings
        before = (await self.metrics()).total("bss_sidecar_reloads_total", "cache_keys")
        await asyncio.to_thread(self.mount.update, rings.files())

        async def is_taken_up() -> bool:
            figures = await self.metrics()
            return figures.total("bss_sidecar_reloads_total", "cache_keys") > before

        await eventually(is_taken_up)


@dataclass(frozen=True, slots=True)
class Figures:
    """The metrics of a moment, by name and the values of their labels."""

    samples: Mapping[tuple[str, ...], float]

    def total(self, name: str, *labels: str) -> float:
        """Of all that have these among the values of their labels."""
        return sum(
            value
            for key, value in self.samples.items()
            if key[0] == name and set(labels) <= set(key[1:])
        )

    def buckets(self, name: str) -> Mapping[float, float]:
        """Of a histogram without labels: how many took up to so many seconds."""
        return {
            float(key[1]): value
            for key, value in self.samples.items()
            if key[0] == f"{name}_bucket"
        }


@dataclass(slots=True)
class Fleet:
    """A Redis, a vendor, and the sidecars between them."""

    folder: Path
    kind: Kind
    vendor: SimulatedVendor
    rings: Rings
    """Of every member, except while a test turns them."""
    members: Sequence[Member] = ()

    @property
    def redis(self) -> RedisServer:
        return self.kind.servers[0]

    def exchanges(self) -> int:
        """What the vendor was asked so far, tokens not counted."""
        counts = self.vendor.traffic.counts
        return sum(counts.values()) - counts["token"]

    def name(
        self,
        number: int,
        question: Question = "billing",
        *,
        tenant: str = TENANT,
        connection: str = CONNECTION,
        rings: Rings | None = None,
    ) -> bytes:
        """Under which Redis has it."""
        return (rings or self.rings).named().of(tenant, connection, question, who(number))

    def value(self, name: bytes) -> bytes | None:
        """`None`: nothing is there."""
        found: bytes | None = self.redis.tell("GET", name)
        return found

    def kept(self, number: int, *rings: Rings) -> int:
        """How many entries there are of a customer, under any key of these rings."""
        names = [
            name
            for ring in rings or (self.rings,)
            for question in QUESTIONS
            for name in ring.named().every(TENANT, CONNECTION, question, who(number))
        ]
        return int(self.redis.tell("EXISTS", *dict.fromkeys(names)))

    async def start_anew(self) -> None:
        """Nothing is kept, and everybody uses Redis."""

        async def is_used(member: Member) -> bool:
            reply = await member.account(PROBE)
            return "fwd=bypass" not in reply.headers["cache-status"] and not any(
                one["opens_for_s"] for one in (await member.status())["breakers"].values()
            )

        self.redis.tell("FLUSHALL")
        for member in self.members:
            await member.turn(self.rings)
            await eventually(partial(is_used, member))
        await self.until_at_rest()
        self.redis.tell("FLUSHALL")

    async def until_at_rest(self) -> None:
        """Nobody has anything to write."""
        for member in self.members:
            await eventually(partial(_is_at_rest, member))

    async def until_kept(self, name: bytes) -> bytes:
        """Writes come after the answer."""
        found: list[bytes] = []

        async def is_kept() -> bool:
            value = await asyncio.to_thread(self.value, name)
            found.extend([] if value is None else [value])
            return bool(found)

        await eventually(is_kept)
        return found[0]

    async def until_gone(self, name: bytes) -> None:
        await self.until(lambda: self.value(name) is None)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Of Redis, which is asked again and again."""
        await eventually(lambda: asyncio.to_thread(holds))


async def _is_at_rest(member: Member) -> bool:
    """It writes nothing any more."""
    return not (await member.status())["pending"]


async def eventually(holds: Callable[[], Any], *, within_s: float = WAIT_S) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110  (other processes hold the clock)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def fleet(
    folder: Path,
    *,
    redis: str = "tls",
    size: int = 2,
    cache: Mapping[str, Any] | None = None,
    setup: Setup | None = None,
    without: int = 0,
) -> AsyncIterator[Fleet]:
    """`redis`: as `redis_kinds` names it; `cache`: settings over ours, the same for all; so many
    more members are `without` a cache, and come last.

    With `PATIENT_READS` a hit is a hit, however busy the machine is.
    """
    async with AsyncExitStack() as stack:
        kind = stack.enter_context(running_kind(redis))
        setup = setup or Setup(shape="amdocs")
        running = await stack.enter_async_context(vendor(setup, folder))
        made = Fleet(folder, kind, running, Rings.new())
        words = _words(made, setup, cache or {})
        every = [*[words] * size, *[{**words, "cache": {"store": "off"}}] * without]
        made.members = await asyncio.gather(
            *(
                stack.enter_async_context(_member(made, number, own))
                for number, own in enumerate(every)
            )
        )
        yield made


@asynccontextmanager
async def _member(made: Fleet, number: int, words: Mapping[str, Any]) -> AsyncIterator[Member]:
    folder = made.folder / f"member-{number}"
    folder.mkdir()
    mount = KubernetesMount(folder / "keys")
    mount.update(made.rings.files())
    keys = {f"{name}_keys_file": str(mount.path / file) for name, file in _KEY_FILES.items()}
    cache = words["cache"]
    own = {**words, "cache": {**cache, **(keys if cache["store"] == "redis" else {})}}
    configuration = folder / "sidecar.yaml"
    configuration.write_text(json.dumps(own))
    stage = Stage(folder, {"amdocs": made.vendor}, folder / "no-database", configuration)
    async with served(stage) as running:
        yield Member(running, mount, made.rings)


_KEY_FILES = {"master": "master", "name": "names"}


def _words(made: Fleet, setup: Setup, cache: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration that all of them have, but for the files of their keys."""
    patient = "read_budget" in cache
    setting = connection_setting(setup, made.vendor, made.folder)
    connection = setting.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    connection["wire"] = dict(PATIENT)
    ids = setup.ids or dict(identity_rows(TENANT, "amdocs"))
    shifted = {
        who(n): ids[who(n + SHIFT)] for n in range(CUSTOMERS - SHIFT) if who(n + SHIFT) in ids
    }
    return {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "logging": {"level": "debug", "format": "json"},
        "connections": {
            CONNECTION: connection | _identity(made.folder / "ids.csv", ids),
            STRANGER: connection | _identity(made.folder / "shifted.csv", shifted),
        },
        "tenants": {
            TENANT: {"connection": CONNECTION},
            NEIGHBOUR: {"connection": CONNECTION},
            STRANGER: {"connection": STRANGER},
        },
        "deadlines": {"single": "10s", "batch": "20s"},
        "cache": {"store": "redis", "redis": _redis(made.kind, patient=patient), **cache},
    }


def _redis(kind: Kind, *, patient: bool) -> Mapping[str, Any]:
    """As an operator would write it."""
    setting = dict(kind.redis or {}) | ({"connect_timeout": "5s"} if patient else {})
    if kind.login.tls is not None:
        folder = kind.servers[0].folder.parent
        files = {
            "trust_bundle_file": folder / "ca.pem",
            "certificate_file": folder / "client.pem",
            "key_file": folder / "client.key",
        }
        named = {name: str(file) for name, file in files.items()}
        setting["tls"] = {**setting.get("tls", {}), **named}
    return setting


def _identity(file: Path, ids: Mapping[UUID, str]) -> Mapping[str, Any]:
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["customer_id", "vendor_id"])
        rows.writerows(ids.items())
    return {"identity": {"kind": "file", "file": str(file)}}
