"""A pretend vendor, and a real wire to it: mutual TLS, a token endpoint, one adapter on top."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from adapters import registry
from adapters.call import Call
from adapters.exchange import Exchange
from adapters.identity import VendorIds
from adapters.lookup import LookupAdapter
from adapters.ports import Ports
from adapters.simulator.certificates import DEMO_CLIENT, write_demo_certificates
from adapters.simulator.population import Shape, identity_rows
from adapters.simulator.shapes import Manners, Version
from adapters.simulator.tls import VendorTls
from adapters.simulator.tokens import RegisteredClient
from adapters.simulator.vendor import SimulatedVendor
from adapters.simulator.vendor_data import VendorData
from config import settings
from proxy.connection import VendorConnection
from proxy.lifecycle import Tasks

SECRET = "Kanarie-client-secret"
CLIENT = RegisteredClient(
    client_id="pedkai-sidecar", client_secret=SECRET, certificate_name=DEMO_CLIENT
)
NOW = datetime.now(tz=UTC)  # noqa: TID251  (the vendors' data are of today, as the adapters' clock)
PATIENT: Mapping[str, object] = {"connect_timeout": "5s", "exchange_timeout": "5s"}
"""For tests of figures: the vendor runs in the same event loop, on a machine that may be busy."""
BARE = settings.Guard(retry=settings.Retry(attempts=1))
"""With a breaker that is forced closed: what one exchange comes to is what the next would, too."""
METHODS: Mapping[Shape, str] = {
    "amdocs": "client_secret_basic",
    "cerillion": "client_secret_post",
    "csg": "tls_client_auth",
}


@cache
def vendor_data(shape: Shape, version: Version = "v4") -> VendorData:
    """The rows of one vendor, built once for all tests of a process."""
    return VendorData.build(shape, version, tenant=f"{shape}_demo", now=NOW)


@dataclass(frozen=True, slots=True)
class KnownIds:
    """The identity map of a vendor's demonstration tenant, in memory."""

    known: Mapping[UUID, str] = field(repr=False)

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds({one: self.known[one] for one in customer_ids if one in self.known})

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


@dataclass(frozen=True, slots=True)
class Line:
    """A vendor, the connection to it, and the adapter that asks over it."""

    vendor: SimulatedVendor
    connection: VendorConnection
    adapter: LookupAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What differs between tests."""

    shape: Shape
    version: Version = "v4"
    data: VendorData | None = None
    """The demonstration's customers unless given."""
    ids: Mapping[UUID, str] | None = None
    """The vendor's id of each customer; the demonstration's unless given."""
    manners: Manners | None = None
    tmf: Mapping[str, object] = field(default_factory=dict)
    """Settings of the connection over the vendor's profile."""
    wire: Mapping[str, object] = field(default_factory=dict)
    apis: Mapping[str, str] = field(default_factory=dict)
    """Path, below the vendor's origin, of an API that is asked elsewhere than by default."""


@asynccontextmanager
async def vendor(setup: Setup, folder: Path) -> AsyncIterator[SimulatedVendor]:
    """The vendor alone; its certificates, and the client's, are in `folder`."""
    if not (folder / "ca.pem").exists():
        await asyncio.to_thread(write_demo_certificates, folder, now=NOW)
    async with SimulatedVendor(
        setup.shape,
        setup.version,
        tls=VendorTls.in_folder(folder),
        client=CLIENT,
        manners=setup.manners,
        data=setup.data or vendor_data(setup.shape, setup.version),
    ) as running:
        yield running


@asynccontextmanager
async def line(
    setup: Setup, folder: Path, around: Callable[[Exchange], Exchange] = lambda inner: inner
) -> AsyncIterator[Line]:
    """`around` may listen in to what goes through the exchange."""
    broken: list[BaseException] = []
    tasks = Tasks(broken.append)
    async with vendor(setup, folder) as running:
        setting = connection_setting(setup, running, folder).model_copy(update={"guard": BARE})
        tmf = setting.tmf.model_dump()
        apis = {str(name): url for name, url in setting.apis.items()}
        urls = registry.base_urls(setup.shape, setting.base_url, apis, tmf)
        connection = VendorConnection(setup.shape, setting, urls, spawn=tasks.spawn)
        connection.force("vendor", "closed")
        tenant = f"{setup.shape}_demo"
        ports = Ports(
            tenant=tenant,
            connection=setup.shape,
            identity=KnownIds(setup.ids or dict(identity_rows(tenant, setup.shape))),
            exchange=around(connection.exchange),
            tmf=tmf,
        )
        try:
            yield Line(running, connection, registry.build(setup.shape, ports))
        finally:
            await connection.aclose()
            await tasks.cancel()
    assert broken == []


TMF: Mapping[Shape, Mapping[str, str]] = {"csg": {"status_style": "comma"}}
"""What a pretend vendor can do beyond its adapter's careful defaults."""


def connection_setting(setup: Setup, running: SimulatedVendor, folder: Path) -> settings.Connection:
    """As the loader of the settings would make it from a file."""
    (folder / "client-secret").write_text(SECRET)
    return settings.Connection.model_validate(
        {
            "vendor": setup.shape,
            "base_url": running.base_url,
            "tls": {
                "certificate_file": str(folder / "client.pem"),
                "key_file": str(folder / "client.key"),
                "trust_bundle_file": str(folder / "ca.pem"),
            },
            "oauth2": {
                "token_url": running.token_url,
                "client_id": CLIENT.client_id,
                "method": METHODS[setup.shape],
                "client_secret_file": str(folder / "client-secret"),
            },
            "apis": {name: running.origin + path for name, path in setup.apis.items()},
            "wire": setup.wire,
            "tmf": {"version": setup.version, **TMF.get(setup.shape, {}), **setup.tmf},
        }
    )
