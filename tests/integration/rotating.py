"""Credentials that rotate while a vendor is asked: what the tests of it share.

`ROTATION=full` (`make rotation`) turns them as often as a fleet does in a year; else a few times.
"""

import asyncio
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from adapters.call import Call
from adapters.exchange import Api
from adapters.lookup import wall_clock
from adapters.outcome import LookupFailed
from adapters.simulator.certificates import Authority, Issued
from adapters.simulator.vendor import SimulatedVendor
from config.settings import Connection
from proxy.connection import VendorConnection
from proxy.lifecycle import Tasks
from tests.integration.connecting import ASKED, CLIENT_ID, SECRET
from tests.servers.mount import KubernetesMount, PlainFolder

FULL = os.environ.get("ROTATION") == "full"  # noqa: TID251  (a test knob)
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108  (a folder of the test's own is made in it)
WAIT_S = 20.0
"""For what takes well below a second, on a machine that may be busy."""

Mount: TypeAlias = KubernetesMount | PlainFolder
MountKind: TypeAlias = Literal["Kubernetes", "Kubernetes in memory", "a plain folder"]
MOUNTS: tuple[MountKind, ...] = ("Kubernetes", "Kubernetes in memory", "a plain folder")
ASKERS = 20


def often(times: int, *, short: int) -> int:
    """How often something is turned."""
    return times if FULL else short


@contextmanager
def mounted(kind: MountKind, folder: Path) -> Iterator[Mount]:
    """A mount that is not there yet."""
    if kind == "a plain folder":
        yield PlainFolder(folder / "mounted")
    elif kind == "Kubernetes":
        yield KubernetesMount(folder / "mounted")
    else:
        with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as memory:
            yield KubernetesMount(Path(memory) / "mounted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What is mounted: who we are, and whom we trust."""

    client: Issued = field(repr=False)
    trust: tuple[Authority, ...] = field(repr=False)
    secret: str = field(default=SECRET, repr=False)

    def files(self) -> Mapping[str, bytes]:
        return {
            "client.pem": self.client.certificate_pem(),
            "client.key": self.client.key_pem(),
            "ca.pem": b"".join(one.trust_bundle() for one in self.trust),
            "secret": self.secret.encode(),
        }


def setting(vendor: SimulatedVendor, folder: Path) -> Connection:
    """A connection whose every credential is in the folder."""
    return Connection.model_validate(
        {
            "vendor": "amdocs",
            "base_url": vendor.base_url,
            "tls": {
                "certificate_file": str(folder / "client.pem"),
                "key_file": str(folder / "client.key"),
                "trust_bundle_file": str(folder / "ca.pem"),
            },
            "oauth2": {
                "token_url": vendor.token_url,
                "client_id": CLIENT_ID,
                "client_secret_file": str(folder / "secret"),
            },
            "wire": {"connect_timeout": "5s", "exchange_timeout": "10s", "drain": "20s"},
        }
    )


@pytest.fixture
async def connection(vendor: SimulatedVendor, mount: Mount) -> AsyncIterator[VendorConnection]:
    """Watches a mount that is not there yet."""
    lost: list[BaseException] = []
    tasks = Tasks(lost.append)
    one = VendorConnection(
        "acme", setting(vendor, mount.path), dict.fromkeys(Api, vendor.base_url), spawn=tasks.spawn
    )
    one.start()
    yield one
    await one.aclose()
    await tasks.cancel()
    assert lost == []


@pytest.fixture
async def turning(connection: VendorConnection, mount: Mount, authority: Authority) -> "Turning":
    """The connection has taken up its first papers."""
    papers = Papers(client=authority.issue_client("sidecar"), trust=(authority,))
    one = Turning(connection, mount, papers)
    await one.to(papers)
    one.took_s.clear()
    return one


@dataclass(slots=True)
class Turning:
    """Turns what is mounted, and waits until the connection has taken it up."""

    connection: VendorConnection
    mount: Mount
    papers: Papers
    took_s: list[float] = field(default_factory=list)
    """From the end of each swap of the files until exchanges began with what is in them."""

    @property
    def version(self) -> int:
        credentials = self.connection.credentials
        return 0 if credentials is None else credentials.version

    @property
    def median_s(self) -> float:
        return statistics.median(self.took_s)

    def tell(self, what: str) -> None:
        """Prints how long it took (shown by `pytest -s`), which is to be less than a second."""
        where = f"{type(self.mount).__name__} at {self.mount.path}"
        middle, longest = (f"{one * 1000:.0f} ms" for one in (self.median_s, max(self.took_s)))
        print(  # noqa: T201  (a measurement)
            f"\n{what}, {where}: {len(self.took_s)} reloads, median {middle}, longest {longest}"
        )
        assert self.median_s < 1.0

    async def to(self, papers: Papers) -> None:
        before = self.version
        await asyncio.to_thread(self.mount.update, papers.files())
        self.papers = papers
        loop = asyncio.get_running_loop()
        began = loop.time()
        await until(lambda: self.version > before)
        self.took_s.append(loop.time() - began)


@dataclass(slots=True)
class Load:
    """Askers that never rest, and what they remember of each question."""

    connection: VendorConnection
    failures: list[LookupFailed] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    """Version of the credentials in use when a question began, by its correlation id."""
    serials: dict[int, int] = field(default_factory=dict)
    """Version of the credentials, by the client certificate's serial. The latest, if shared."""
    rounds: list[int] = field(default_factory=lambda: [0] * ASKERS)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def ask_on(self, asker: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            number = f"r-{next(self._numbers)}"
            credentials = self.connection.credentials
            if credentials is not None:
                self.serials[credentials.certificates.client[0].serial] = credentials.version
                self.asked[number] = credentials.version
            call = Call(deadline=loop.time() + 60, asked_at=wall_clock(), correlation_id=number)
            try:
                await self.connection.exchange.send(ASKED, call)
            except LookupFailed as failure:
                self.failures.append(failure)
                await asyncio.sleep(0.01)
            self.rounds[asker] += 1

    async def a_round(self) -> None:
        """Until every asker has ended a question that it began after this call."""
        goal = [done + 2 for done in self.rounds]
        await until(lambda: all(map(int.__ge__, self.rounds, goal)))

    def with_an_old_identity(self, vendor: SimulatedVendor) -> list[str]:
        """Questions that the vendor saw with a certificate older than the one of their start."""
        found = []
        for seen in vendor.traffic.requests:
            started = self.asked.get(seen.correlation_id or "")
            if started is not None:
                assert seen.certificate is not None
                if self.serials.get(seen.certificate.serial, 0) < started:
                    found.append(f"{seen.correlation_id} of version {started}")
        return found

    def asked_twice(self, vendor: SimulatedVendor) -> list[str | None]:
        """Questions that were cut off by a swap, and had to be asked once more."""
        times = Counter(seen.correlation_id for seen in vendor.traffic.requests)
        return [one for one, seen in times.items() if one in self.asked and seen > 1]

    def forget(self, vendor: SimulatedVendor) -> None:
        """What was looked at; else a long test would fill the memory."""
        vendor.traffic.requests.clear()
        self.asked.clear()


@asynccontextmanager
async def under_load(connection: VendorConnection) -> AsyncIterator[Load]:
    load = Load(connection)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(load.ask_on(asker)) for asker in range(ASKERS)]
        await load.a_round()
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110  (files, threads and a vendor tell nobody)
            await asyncio.sleep(0.002)


def show_server(vendor: SimulatedVendor, issued: Issued, folder: Path) -> None:
    """New connections see this certificate. The listening socket, and who waits at it, stay."""
    files = issued.write(folder, "server")
    assert vendor._context is not None
    vendor._context.load_cert_chain(files.certificate_file, files.key_file)


def know_secret(vendor: SimulatedVendor, secret: str) -> None:
    """The issuer accepts this client secret, and the one before it no more."""
    assert vendor.tokens is not None
    vendor.tokens.client = replace(vendor.tokens.client, client_secret=secret)
