"""What the demo sets up: certificates, three pretend vendors, a database, one sidecar."""

import asyncio
import csv
import os
import secrets
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.simulator import pedkai
from adapters.simulator.certificates import DEMO_CLIENT, Authority, write_demo_certificates
from adapters.simulator.population import SHAPES, Shape, identity_rows
from adapters.simulator.shapes import BASE_PATHS, TOKEN_PATHS
from proxy.demo.children import Children

CLIENT_ID = "pedkai-sidecar"
LATENCY = "15ms"
"""How long a pretend vendor thinks about each request."""
READY_S = 20.0
_POLL_S = 0.05

TENANTS: Mapping[str, str] = {
    "amdocs_demo": "amdocs",
    "cerillion_demo": "cerillion",
    "csg_demo": "csg",
    "local_demo": "local",
    "mock_demo": "mock",
}
"""Tenant → connection, which is named like its vendor."""
METHODS: Mapping[Shape, str] = {
    "amdocs": "client_secret_basic",
    "cerillion": "client_secret_post",
    "csg": "tls_client_auth",
}
"""How the client proves itself to each vendor's token endpoint."""
TMF: Mapping[Shape, Mapping[str, str]] = {"csg": {"status_style": "comma"}}
"""What a pretend vendor can do beyond its adapter's careful defaults."""


QUICK: Mapping[str, object] = {"window": "3s", "minimum_calls": 5, "longest_open_time": "4s"}
"""A breaker that opens and closes while somebody watches."""


class StageFailed(Exception):  # noqa: N818  (what could not be set up)
    """Something of the demo did not come up."""


class PortsTaken(StageFailed):
    """Somebody else listens where the demo wants to."""


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports of a demo, all on loopback."""

    data: int = 8650
    ops: int = 8651
    admin: int = 8652
    vendors: Mapping[Shape, int] = field(
        default_factory=lambda: {"amdocs": 9441, "cerillion": 9442, "csg": 9443}
    )
    controls: Mapping[Shape, int] = field(
        default_factory=lambda: {"amdocs": 9541, "cerillion": 9542, "csg": 9543}
    )

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody listens on, so that two demos do not meet."""
        numbers = iter(_free_ports(3 + 2 * len(SHAPES)))
        return cls(
            next(numbers),
            next(numbers),
            next(numbers),
            {shape: next(numbers) for shape in SHAPES},
            {shape: next(numbers) for shape in SHAPES},
        )

    def all(self) -> Iterable[int]:
        return (self.data, self.ops, self.admin, *self.vendors.values(), *self.controls.values())

    def check(self) -> None:
        """Raises `StageFailed` when one of them is taken."""
        taken = [port for port in self.all() if _is_taken(port)]
        if taken:
            raise PortsTaken(
                f"Taken on 127.0.0.1: port {', '.join(map(str, taken))}. Perhaps another demo "
                "still runs (pgrep -f 'bss-sidecar demo' finds it). End it, and start again."
            )


@dataclass(slots=True)
class Stage:
    """Everything the demo talks to. `folder` holds what was made, and the logs."""

    folder: Path
    ports: Ports
    children: Children
    session: aiohttp.ClientSession
    is_kept: bool = False
    """Somebody will play with it: breakers look back three seconds, and not ten."""
    authority: Authority | None = field(default=None, repr=False)
    """Issued the certificates."""

    @property
    def configuration_file(self) -> Path:
        return self.folder / "sidecar.yaml"

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.admin}/"

    @property
    def data_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.data}"

    def control_url(self, shape: Shape) -> str:
        return f"http://127.0.0.1:{self.ports.controls[shape]}"

    async def prepare(self, now: datetime) -> None:
        """Certificates, secrets, the identity file, the database, the configuration."""
        self.authority = write_demo_certificates(self.folder, now=now)
        for shape in SHAPES:
            _write_secret(self.folder / f"{shape}-secret", secrets.token_urlsafe(24))
        with (self.folder / "customers.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["customer_id", "vendor_id"])
            rows.writerows(identity_rows("cerillion_demo", "cerillion"))
        dsn = f"sqlite+aiosqlite:///{self.folder / 'pedkai.sqlite'}"
        _write_secret(self.folder / "pedkai-dsn", dsn)
        engine = create_async_engine(dsn)
        try:
            await pedkai.seed(engine, now=now)
        finally:
            await engine.dispose()
        text = yaml.safe_dump(self._configuration(), sort_keys=False)
        self.configuration_file.write_text(text, encoding="utf-8")

    async def start_vendors(self) -> None:
        for shape in SHAPES:
            await self.children.start(shape, "adapters.simulator", self._vendor_arguments(shape))
        await asyncio.gather(*(self._until_up(self.control_url(shape) + "/") for shape in SHAPES))

    def rotate_certificate(self) -> None:
        """Another client certificate of the same authority is mounted, for all connections."""
        if self.authority is not None:
            self.authority.issue_client(DEMO_CLIENT).write(self.folder, "client")

    async def start_sidecar(self, *, playing: Sequence[str] | None = None) -> None:
        """As anybody would; or, with arguments of `proxy.demo.sidecar`, one to play with."""
        file = str(self.configuration_file)
        if playing is None:
            await self.children.start("sidecar", "proxy", ["serve", file])
        else:
            await self.children.start("sidecar", "proxy.demo.sidecar", [file, *playing])
        await self._until_up(f"http://127.0.0.1:{self.ports.ops}/readyz")

    async def fault(self, shape: Shape, name: str | None) -> None:
        """Put one fault into a vendor; `None` heals it."""
        method, path = ("PUT", f"/fault/{name}") if name else ("DELETE", "/fault")
        async with self.session.request(method, self.control_url(shape) + path) as reply:
            reply.raise_for_status()

    async def _until_up(self, url: str) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + READY_S
        while clock() < until:
            self.children.check()
            try:
                async with self.session.get(url) as reply:
                    if reply.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(_POLL_S)
        raise StageFailed(f"Nothing answered at {url} within {READY_S:.0f} s.")

    def _vendor_arguments(self, shape: Shape) -> list[str]:
        return [
            *("--shape", shape, "--port", str(self.ports.vendors[shape])),
            *("--control-port", str(self.ports.controls[shape]), "--certs", str(self.folder)),
            *("--client-id", CLIENT_ID, "--client-certificate-name", DEMO_CLIENT),
            *("--client-secret-file", str(self.folder / f"{shape}-secret")),
            *("--latency", LATENCY),
        ]

    def _configuration(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "listeners": {
                "data": {"port": self.ports.data},
                "ops": {"port": self.ports.ops},
                "admin": {"port": self.ports.admin},
            },
            "connections": {
                **{shape: self._vendor_connection(shape) for shape in SHAPES},
                "local": {"vendor": "local", "database": {"dsn_file": self._file("pedkai-dsn")}},
                "mock": {"vendor": "mock"},
            },
            "tenants": {tenant: {"connection": name} for tenant, name in TENANTS.items()},
        }

    def _vendor_connection(self, shape: Shape) -> dict[str, Any]:
        root = f"https://localhost:{self.ports.vendors[shape]}"
        identity = {"kind": "pedkai_db", "dsn_file": self._file("pedkai-dsn")}
        if shape == "cerillion":
            identity = {"kind": "file", "file": self._file("customers.csv")}
        oauth2 = {
            "token_url": root + TOKEN_PATHS[shape],
            "client_id": CLIENT_ID,
            "method": METHODS[shape],
        }
        if METHODS[shape].startswith("client_secret"):
            oauth2["client_secret_file"] = self._file(f"{shape}-secret")
        return {
            "vendor": shape,
            "base_url": root + BASE_PATHS[shape],
            "tls": {
                "certificate_file": self._file("client.pem"),
                "key_file": self._file("client.key"),
                "trust_bundle_file": self._file("ca.pem"),
            },
            "oauth2": oauth2,
            "guard": {"breaker": dict(QUICK)} if self.is_kept else {},
            "identity": identity,
            "tmf": TMF.get(shape, {}),
        }

    def _file(self, name: str) -> str:
        return str(self.folder / name)


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
