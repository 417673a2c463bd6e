"""Connections to Redis as we want them: no retries, bounded, wary of what the server says."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext, SSLError
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Connection, ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
)
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from config import settings
from proxy.cache.store import FailureKind, StoreFailed
from proxy.cache.wary import WaryParser
from proxy.lifecycle import read_less_at_once

DEFAULT_PORT = 6379
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who we are to Redis and whom we trust, all of it at one moment. Another needs a new store."""

    password: str | None = field(default=None, repr=False)
    tls: SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a Redis is."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    """Of a unix socket, instead of host and port."""
    database: int = 0
    secure: bool = False

    @classmethod
    def of(cls, url: str) -> "Address":
        """Raises `ValueError`, in words that quote nothing of the URL."""
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise ValueError("a login does not belong into the URL")
        if parts.scheme == "unix":
            database = parse_qs(parts.query).get("db", ["0"])[0]
            return cls(path=unquote(parts.path), database=_number(database))
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
            raise ValueError("a Redis URL is redis://HOST:PORT/DB, rediss://… or unix:///PATH")
        return cls(
            host=parts.hostname,
            port=parts.port or DEFAULT_PORT,
            database=_number(parts.path.strip("/") or "0"),
            secure=parts.scheme == "rediss",
        )


class _Careful(AbstractConnection):
    """Is connected wholly, or not at all."""

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002  (redis-py's signature)
        try:
            await super().on_connect_check_health(check_health)
            if self._writer is not None:
                read_less_at_once(self._writer.transport)
        except BaseException:
            await self.disconnect(nowait=True)
            raise


class _OverTls(Connection):
    """Under an `SSLContext` of ours, which redis-py's own would make anew from files each time."""

    def __init__(self, *, tls: SSLContext, server_name: str | None, **rest: Any) -> None:
        self._tls = tls
        self._server_name = server_name
        super().__init__(**rest)

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {
            **super()._connection_arguments(),
            "ssl": self._tls,
            "server_hostname": self._server_name or self.host,
        }


class PlainConnection(_Careful, Connection): ...


class TlsConnection(_Careful, _OverTls): ...


class UnixConnection(_Careful, UnixDomainSocketConnection):
    async def _connect(self) -> None:
        """redis-py's logs in here already, and a login that is refused loses its name."""
        async with asyncio.timeout(self.socket_connect_timeout):
            self._reader, self._writer = await asyncio.open_unix_connection(self.path)


class SentinelConnection(_Careful, SentinelManagedConnection): ...


class SentinelTlsConnection(_Careful, SentinelManagedConnection, _OverTls): ...


class _Clean(_Careful):
    """Has nothing unread when a command goes out. Pools see to that; nodes of a cluster do not."""

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002  (redis-py's signature)
    ) -> None:
        if self.is_connected and await self.can_read():
            await self.disconnect(nowait=True)
        await super().send_packed_command(command, check_health)


class ClusterConnection(_Clean, Connection): ...


class ClusterTlsConnection(_Clean, _OverTls): ...


class _Pool(BlockingConnectionPool):
    """redis-py's, to which a connection is given back in a few steps.

    Its own tell listeners and figures that are switched off, which takes as long as it takes to
    send a command. What it does besides is what is done here, on names of redis-py that are not
    public: tests of the pool and of the stores go through it.
    """

    async def release(self, connection: AbstractConnection) -> None:
        self._in_use_connections.remove(connection)
        if connection.should_reconnect():  # type: ignore[no-untyped-call]  # redis-py's is not typed
            await connection.disconnect()
        self._available_connections.append(connection)
        async with self._condition:
            self._condition.notify()


def connection_arguments(
    setting: settings.Redis, login: Login, *, timeout_s: float
) -> dict[str, Any]:
    """What every connection of ours is made with, whichever class it is of.

    Notifications about maintenance stay off: with them redis-py no longer looks whether a
    connection has something unread before it is used again.
    """
    return {
        "username": setting.username,
        "password": login.password,
        **_wire_arguments(setting, timeout_s),
    }


def pool(setting: settings.Redis, login: Login, *, timeout_s: float) -> ConnectionPool:
    """Of as many connections as the setting says. Nothing is connected yet.

    Raises `ValueError` for a setting that names no Redis.
    """
    # Whoever uses a connection has a time for all of it: redis-py's own would start a task a write.
    arguments = connection_arguments(setting, login, timeout_s=timeout_s) | {"socket_timeout": None}
    if setting.sentinels:
        return _sentinel_pool(setting, login, arguments)
    address = Address.of(setting.url or "")
    arguments |= {"db": address.database, "max_connections": setting.connections}
    arguments["timeout"] = timeout_s
    if address.path:
        return _Pool(connection_class=UnixConnection, path=address.path, **arguments)
    arguments |= {"host": address.host, "port": address.port}
    if address.secure:
        arguments |= tls_arguments(setting, login)
        return _Pool(connection_class=TlsConnection, **arguments)
    return _Pool(connection_class=PlainConnection, **arguments)


def tls_arguments(setting: settings.Redis, login: Login) -> dict[str, Any]:
    if login.tls is None:
        raise ValueError("TLS needs a trust bundle or the system's authorities")
    return {"tls": login.tls, "server_name": setting.tls.server_name if setting.tls else None}


def failure_of(error: BaseException) -> StoreFailed:
    """What redis-py raised, in our words; the narrower kinds first."""
    if isinstance(error, exceptions.RedisClusterException) and error.__cause__ is not None:
        return failure_of(error.__cause__)
    for kind, types in _KINDS:
        if isinstance(error, types):
            return StoreFailed("tls" if kind == "refused" and _is_tls(error) else kind)
    if isinstance(error, exceptions.ResponseError):
        said = str(error)
        return StoreFailed(
            next((k for word, k in _SAID.items() if said.startswith(word)), "protocol")
        )
    return StoreFailed("protocol")


def _wire_arguments(setting: settings.Redis, timeout_s: float) -> dict[str, Any]:
    return {
        "protocol": 3,
        "decode_responses": False,
        "parser_class": WaryParser,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout_s,
        "socket_connect_timeout": setting.connect_timeout,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


def _sentinel_pool(
    setting: settings.Redis, login: Login, arguments: dict[str, Any]
) -> ConnectionPool:
    """The Sentinels are asked for the master whenever a connection is made."""
    connection_class: type[Connection] = SentinelConnection
    own = _wire_arguments(setting, setting.connect_timeout)
    if login.tls is not None:
        connection_class = SentinelTlsConnection
        arguments |= tls_arguments(setting, login)
    sentinel = Sentinel([])  # type: ignore[no-untyped-call]  # redis-py's is not typed
    sentinel.sentinels = [_sentinel_client(one, own, setting, login) for one in setting.sentinels]
    return _SentinelPool(  # type: ignore[no-untyped-call]  # redis-py's is not typed
        setting.sentinel_service,
        sentinel,
        connection_class=connection_class,
        max_connections=setting.connections,
        db=setting.database,
        **arguments,
    )


class _SentinelPool(SentinelConnectionPool):
    async def aclose(self) -> None:
        try:
            await super().aclose()
        finally:
            await self.sentinel_manager.aclose()


def _sentinel_client(
    place: str, wire: dict[str, Any], setting: settings.Redis, login: Login
) -> "Redis":
    """`place`: `HOST:PORT`. Sentinels have no login of ours."""
    parts = urlsplit(f"//{place}")
    arguments = wire | {"host": parts.hostname, "port": parts.port or SENTINEL_PORT}
    connection_class: type[Connection] = PlainConnection
    if login.tls is not None:
        connection_class = TlsConnection
        arguments |= tls_arguments(setting, login)
    own = BlockingConnectionPool(
        connection_class=connection_class,
        max_connections=setting.connections,
        timeout=setting.connect_timeout,
        **arguments,
    )
    return Redis.from_pool(own)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("the database of a Redis URL is a number")
    return int(text)


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


_KINDS: tuple[tuple[FailureKind, tuple[type[BaseException], ...]], ...] = (
    (
        "auth",
        (
            exceptions.AuthenticationError,
            exceptions.AuthorizationError,
            exceptions.NoPermissionError,
        ),
    ),
    ("starting", (exceptions.BusyLoadingError, exceptions.MasterDownError)),
    ("starting", (exceptions.ClusterDownError, exceptions.TryAgainError, exceptions.AskError)),
    ("full", (exceptions.OutOfMemoryError,)),
    ("readonly", (exceptions.ReadOnlyError,)),
    ("timeout", (exceptions.TimeoutError, TimeoutError)),
    ("protocol", (exceptions.InvalidResponse,)),
    ("refused", (exceptions.ConnectionError, exceptions.RedisClusterException, OSError)),
)
_SAID: Mapping[str, FailureKind] = cast(
    "Mapping[str, FailureKind]",
    {"OOM": "full", "MISCONF": "readonly", "NOREPLICAS": "readonly", "NOAUTH": "auth"}
    | {"WRONGPASS": "auth", "NOPERM": "auth", "LOADING": "starting", "MASTERDOWN": "starting"}
    | {"CLUSTERDOWN": "starting"},
)
