"""Every way in which a store is reached, each against real servers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any

import pytest

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority
from config import settings
from proxy.cache.memory import MemoryStore
from proxy.cache.opening import redis_store
from proxy.cache.redis_client import Login
from proxy.cache.store import Store
from tests.servers.redis import (
    CONTROL,
    SERVICE,
    RedisServer,
    free_ports,
    program,
    running_cluster,
    running_redis,
    running_sentinel,
    tls_options,
)
from tests.servers.strict import NotHere

KINDS = (
    "memory",
    "tcp",
    "unix",
    "tls",
    "acl",
    "sentinel",
    "sentinel_tls",
    "cluster",
    "cluster_tls",
)
CONNECTIONS = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """How to open a store, as often as one likes."""

    name: str
    redis: dict[str, Any] | None = None
    """As in the configuration file; `None`: memory."""
    login: Login = field(default_factory=Login)
    servers: tuple[RedisServer, ...] = ()

    def open(self, *, timeout_s: float = 5.0, **changed: Any) -> Store:
        """Patient: the machine may have other work to do."""
        if self.redis is None:
            return MemoryStore(entries=10_000, size=1 << 24)
        setting = {"connections": CONNECTIONS, "connect_timeout": "5s"} | self.redis | changed
        return redis_store(settings.Redis.model_validate(setting), self.login, timeout_s=timeout_s)


@contextmanager
def short_folder() -> Iterator[Path]:
    """The path of a unix socket has 107 bytes at most, and a TMPDIR may be longer than that."""
    with tempfile.TemporaryDirectory(prefix="rd", dir="/tmp") as folder:
        yield Path(folder)


@contextmanager
def running_kind(name: str) -> Iterator[Kind]:
    """Where there is no Redis, the test that wants one is skipped."""
    if name != "memory":
        try:
            program()
        except NotHere as absent:
            pytest.skip(str(absent))
    with short_folder() as folder, _MAKERS[name](folder) as kind:
        yield kind


@contextmanager
def _memory(folder: Path) -> Iterator[Kind]:
    yield Kind("memory")


@contextmanager
def _tcp(folder: Path) -> Iterator[Kind]:
    with running_redis(folder / "a", port=free_ports(1)[0]) as server:
        yield Kind("tcp", {"url": server.url}, servers=(server,))


@contextmanager
def _unix(folder: Path) -> Iterator[Kind]:
    with running_redis(folder / "a") as server:
        yield Kind("unix", {"url": server.unix_url}, servers=(server,))


@contextmanager
def _tls(folder: Path) -> Iterator[Kind]:
    (port,) = free_ports(1)
    context = certificates(folder)
    with running_redis(folder / "a", *tls_options(folder, port)) as server:
        yield Kind("tls", {"url": f"rediss://localhost:{port}"}, Login(tls=context), (server,))


@contextmanager
def _acl(folder: Path) -> Iterator[Kind]:
    """What a careful operator allows: these commands, on names of ours."""
    own = "user sidecar on >secret ~bss1:* +get +mget +set +del +info +hello"
    (folder / "users").write_text(f"{own}\nuser default on >{CONTROL} ~* +@all\n")
    users = ("--aclfile", str(folder / "users"))
    (port,) = free_ports(1)
    with running_redis(folder / "a", *users, port=port, password=CONTROL) as server:
        redis = {"url": server.url, "username": "sidecar"}
        yield Kind("acl", redis, Login(password="secret"), (server,))


@contextmanager
def _sentinel(folder: Path) -> Iterator[Kind]:
    with running_sentinel(folder) as service:
        redis = {"sentinels": [service.address], "sentinel_service": SERVICE}
        servers = (service.master, service.replica, service.sentinel)
        yield Kind("sentinel", redis, servers=servers)


@contextmanager
def _sentinel_tls(folder: Path) -> Iterator[Kind]:
    context = certificates(folder)
    with running_sentinel(folder, certificates=folder) as service:
        redis = {
            "sentinels": [service.address],
            "sentinel_service": SERVICE,
            "tls": {"server_name": "localhost"},
        }
        servers = (service.master, service.replica, service.sentinel)
        yield Kind("sentinel_tls", redis, Login(tls=context), servers)


@contextmanager
def _cluster(folder: Path) -> Iterator[Kind]:
    with running_cluster(folder) as servers:
        yield Kind("cluster", {"url": servers[0].url, "cluster": True}, servers=tuple(servers))


@contextmanager
def _cluster_tls(folder: Path) -> Iterator[Kind]:
    context = certificates(folder)
    with running_cluster(folder, certificates=folder) as servers:
        redis = {
            "url": f"rediss://127.0.0.1:{servers[0].port}",
            "cluster": True,
            "tls": {"server_name": "localhost"},
        }
        yield Kind("cluster_tls", redis, Login(tls=context), tuple(servers))


_MAKERS = {
    "memory": _memory,
    "tcp": _tcp,
    "unix": _unix,
    "tls": _tls,
    "acl": _acl,
    "sentinel": _sentinel,
    "sentinel_tls": _sentinel_tls,
    "cluster": _cluster,
    "cluster_tls": _cluster_tls,
}


def certificates(folder: Path, *, client: str | None = "sidecar") -> SSLContext:
    """Writes what the server shows; what a client shows and trusts is in the context."""
    authority = Authority.create(now=wall_clock())
    trusted = authority.write(folder)
    authority.issue_server().write(folder, "server")
    context = create_default_context(cafile=str(trusted))
    if client is not None:
        files = authority.issue_client(client).write(folder, "client")
        context.load_cert_chain(files.certificate_file, files.key_file)
    return context
