"""What a sidecar under measurement has mounted: certificates, keys, identities, configuration."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from adapters.simulator.certificates import DEMO_CLIENT, Authority, write_demo_certificates
from proxy.cache.keys import new_key
from tests.bench.vendor import TOKEN_PATH
from tests.bench.vendor_rows import write_identities

TENANT = "tenant_0"
CROWD = "crowd"
CLIENT_ID = "pedkai-sidecar"
CUSTOMERS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What differs between sidecars."""

    vendor_port: int
    redis_url: str | None = None
    """`None`: the memory store."""
    concurrency: int = 64
    batches: int = 1
    """Customers in one query to the vendor; 1: one query for each."""
    connections: int = 1
    """As many tenants, each on a connection of its own, all to the same vendor."""
    ttl: str = "5m"
    """Of the cache; so long that nothing ends while it is measured, unless that is wanted."""
    has_crowd: bool = False
    """A further tenant, `CROWD`, whose vendor is in the process and knows none of its customers."""
    customers: int = CUSTOMERS
    """In the map of identities."""
    connection: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further settings of each connection, by their group."""


@dataclass(frozen=True, slots=True)
class Mounted:
    """A folder with all of it."""

    folder: Path
    authority: Authority

    @classmethod
    def new(cls, folder: Path, now: datetime) -> "Mounted":
        authority = write_demo_certificates(folder, now=now)
        (folder / "client-secret").write_text("a secret of the measurements", encoding="utf-8")
        for name in ("master", "names"):
            (folder / name).write_text(new_key() + "\n", encoding="utf-8")
        return cls(folder, authority)

    def rotate(self) -> None:
        """Another client certificate of the same authority is mounted."""
        self.authority.issue_client(DEMO_CLIENT).write(self.folder, "client")

    def tls(self) -> ssl.SSLContext:
        """For who asks the vendor directly."""
        context = ssl.create_default_context(cafile=self._file("ca.pem"))
        context.load_cert_chain(self._file("client.pem"), self._file("client.key"))
        return context

    def configure(self, name: str, setting: Setting) -> Path:
        """A configuration file under this name."""
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(self._settings(setting)), encoding="utf-8")
        return file

    def _settings(self, setting: Setting) -> dict[str, Any]:
        connections = {f"vendor_{n}": self._connection(setting) for n in range(setting.connections)}
        tenants = {f"tenant_{n}": {"connection": name} for n, name in enumerate(connections)}
        if setting.has_crowd:
            connections[CROWD] = {"vendor": "mock"}
            tenants[CROWD] = {"connection": CROWD}
        return {
            "schema_version": 1,
            "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
            "logging": {"format": "json"},
            "cache": self._cache(setting),
            "connections": connections,
            "tenants": tenants,
        }

    def _cache(self, setting: Setting) -> dict[str, Any]:
        lives = {"ttl": setting.ttl}
        if setting.redis_url is None:
            return {"store": "memory", **lives}
        return {
            "store": "redis",
            "redis": {"url": setting.redis_url},
            "master_keys_file": self._file("master"),
            "name_keys_file": self._file("names"),
            **lives,
        }

    def _connection(self, setting: Setting) -> dict[str, Any]:
        root = f"https://localhost:{setting.vendor_port}"
        identity = {"kind": "file", "file": self._identities(setting.customers)}
        tmf: dict[str, Any] = {}
        if setting.batches > 1:
            tmf = {"batch_style": "comma", "batch_size": setting.batches}
        made: dict[str, Any] = {
            "vendor": "amdocs",
            "base_url": f"{root}/",
            "tls": {
                "certificate_file": self._file("client.pem"),
                "key_file": self._file("client.key"),
                "trust_bundle_file": self._file("ca.pem"),
            },
            "oauth2": {
                "token_url": root + TOKEN_PATH,
                "client_id": CLIENT_ID,
                "client_secret_file": self._file("client-secret"),
            },
            "identity": identity,
            "wire": {"concurrency": setting.concurrency},
            "tmf": tmf,
        }
        for group, more in setting.connection.items():
            made[group] = {**made.get(group, {}), **more}
        return made

    def _identities(self, customers: int) -> str:
        file = self.folder / f"customers-{customers}.csv"
        if not file.exists():
            write_identities(file, range(customers))
        return str(file)

    def _file(self, name: str) -> str:
        return str(self.folder / name)
