"""Connections to a pretend vendor, over real mutual TLS and OAuth2: what their tests share."""

import asyncio
import random
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.call import Call
from adapters.exchange import Api, VendorReply, VendorRequest
from adapters.lookup import wall_clock
from adapters.outcome import LookupFailed
from adapters.simulator.certificates import Authority, Issued
from adapters.simulator.tls import VendorTls
from adapters.simulator.tokens import RegisteredClient
from adapters.simulator.vendor import SimulatedVendor
from adapters.simulator.vendor_data import VendorData
from config.settings import Connection
from proxy.connection import VendorConnection
from proxy.credentials.renewal import Luck
from proxy.guard.guard import Surroundings
from proxy.lifecycle import Tasks

SECRET = "canary-secret-4711"
CLIENT_ID = "canary-client-4711"
VENDOR_ID = "canary-customer-4711"
METHODS = ["client_secret_basic", "client_secret_post", "tls_client_auth", "private_key_jwt"]
ASKED = VendorRequest(Api.PRODUCT_INVENTORY, "product", (("relatedParty.id", VENDOR_ID),))
SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT = RegisteredClient(
    client_id=CLIENT_ID,
    client_secret=SECRET,
    certificate_name="sidecar",
    signing_key=SIGNING_KEY.public_key(),
)


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.create(now=wall_clock(), intermediate=True)


@pytest.fixture(scope="session")
def data() -> VendorData:
    return VendorData.build("amdocs", "v4", tenant="amdocs_demo", now=wall_clock())


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    authority.write(tmp_path)
    authority.issue_server().write(tmp_path, "server")
    authority.issue_client("sidecar").write(tmp_path, "client")
    (tmp_path / "secret").write_text(SECRET + "\n")
    signing = Issued(authority.root, (), SIGNING_KEY)
    (tmp_path / "signing.key").write_bytes(signing.key_pem())
    return tmp_path


@pytest.fixture
async def vendor(folder: Path, data: VendorData) -> AsyncIterator[SimulatedVendor]:
    tls = VendorTls.in_folder(folder)
    async with SimulatedVendor("amdocs", tls=tls, client=CLIENT, data=data) as one:
        yield one


Connect = Callable[..., VendorConnection]


@dataclass
class Bench:
    """Makes connections, and closes them."""

    folder: Path
    tasks: Tasks
    made: list[VendorConnection]

    def setting(self, base_url: str, token_url: str | None, **more: Any) -> Connection:
        tls = {
            "certificate_file": str(self.folder / "client.pem"),
            "key_file": str(self.folder / "client.key"),
            "trust_bundle_file": str(self.folder / "ca.pem"),
        }
        oauth2 = {
            "token_url": token_url,
            "client_id": CLIENT_ID,
            "client_secret_file": str(self.folder / "secret"),
            "signing_key_file": str(self.folder / "signing.key"),
            "method": more.pop("method", "client_secret_basic"),
        }
        wire = {"connect_timeout": "5s", "exchange_timeout": "10s"} | more.pop("wire", {})
        return Connection.model_validate(
            {
                "vendor": "amdocs",
                "base_url": base_url,
                "tls": tls | more.pop("tls", {}),
                "oauth2": oauth2 if token_url else None,
                "wire": wire,
            }
            | more
        )

    def connect(
        self,
        base_url: str,
        token_url: str | None = None,
        *,
        around: Callable[[str], Surroundings] = lambda _breaker: Surroundings(),
        luck: Luck = random.random,
        **more: Any,
    ) -> VendorConnection:
        setting = self.setting(base_url, token_url, **more)
        apis = dict.fromkeys(Api, base_url)
        one = VendorConnection(
            "acme", setting, apis, spawn=self.tasks.spawn, luck=luck, around=around
        )
        self.made.append(one)
        return one

    def to(self, vendor: SimulatedVendor, **more: Any) -> VendorConnection:
        return self.connect(vendor.base_url, vendor.token_url, **more)


@pytest.fixture
async def bench(folder: Path) -> AsyncIterator[Bench]:
    lost: list[BaseException] = []
    one = Bench(folder, Tasks(lost.append), [])
    yield one
    for connection in one.made:
        await connection.aclose()
    await one.tasks.cancel()
    assert lost == []


def call(budget_s: float = 30.0) -> Call:
    return Call(
        deadline=asyncio.get_running_loop().time() + budget_s,
        asked_at=wall_clock(),
        correlation_id="c-1",
    )


async def ask(connection: VendorConnection, request: VendorRequest = ASKED) -> VendorReply:
    return await connection.exchange.send(request, call())


async def failure_of(connection: VendorConnection, budget_s: float = 30.0) -> LookupFailed:
    """The failure of an exchange, in which nothing personal and no secret is to be found."""
    with pytest.raises(LookupFailed) as failed:
        await connection.exchange.send(ASKED, call(budget_s))
    told = "".join(traceback.format_exception(failed.value))
    shown = told + repr(failed.value) + repr(connection.status()) + repr(vars(connection))
    assert "canary" not in shown
    assert connection.status().last_outcome is failed.value.reason
    return failed.value


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  (threads and a vendor tell nobody)
            await asyncio.sleep(0)
