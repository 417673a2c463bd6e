"""Real Redis servers (Debian: `apt install redis-server`): alone, with Sentinels, in a Cluster."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Any

import redis

from tests.servers.strict import START_TIMEOUT_S, NotHere

CONTROL = "control"
"""Password of the user `default`, where one is asked for."""
SERVICE = "cache"
"""Name under which Sentinels know the master."""
SLOTS = 16_384

# The shell's standard input is a pipe from the tests. When they end, however they end, it reads
# the end of the file and ends the server, which may be stopped at that time.
_UNTIL_WE_ARE_GONE = '"$@" & read -r _; kill -KILL $!; wait $!'


def program() -> str:
    found = shutil.which("redis-server") or shutil.which("redis-server", path="/usr/local/bin")
    if found is None:
        raise NotHere("no redis-server on this machine (Debian: apt install redis-server)")
    return found


@dataclass(slots=True)
class RedisServer:
    """One process. It listens on `port`, if that is not 0, and always on a unix socket."""

    folder: Path
    """A short path: that of a unix socket has 107 bytes at most."""
    options: Sequence[str]
    port: int = 0
    password: str | None = None
    _shell: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def path(self) -> Path:
        return self.folder / "socket"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.path}"

    def start(self, *more: str) -> None:
        """Returns when it answers."""
        command = [program(), *self._options(), *self.options, *more]
        with (self.folder / "log").open("ab") as said:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _UNTIL_WE_ARE_GONE, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for the tests, who then stop the server
            )
        until(self._answers, self.folder / "log")

    def kill(self) -> None:
        if self._shell is not None:
            self._shell.communicate()  # closes the pipe, and waits for the shell
            self._shell = None

    def restart(self) -> None:
        """What it kept is gone, for it writes nothing to a disk."""
        self.kill()
        self.start()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Sockets stay open and connections are accepted, and nothing answers (`SIGSTOP`)."""
        process = int((self.folder / "pid").read_text())
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def tell(self, *command: str | bytes | int) -> Any:
        """As an operator, over the unix socket."""
        with redis.Redis(
            unix_socket_path=str(self.path), password=self.password, socket_timeout=START_TIMEOUT_S
        ) as client:
            return client.execute_command(*command)

    def fill(self) -> None:
        """It has no room left, and evicts nothing."""
        self.tell("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")

    def empty(self) -> None:
        """There is room again."""
        self.tell("CONFIG", "SET", "maxmemory", "0")

    def become_replica(self) -> None:
        """Of nobody who is there: it takes no writes, and goes on answering reads."""
        self.tell("REPLICAOF", "127.0.0.1", "1")

    def become_master(self) -> None:
        self.tell("REPLICAOF", "NO", "ONE")

    def connections(self) -> int:
        """Of others than who asks."""
        return int(self.tell("INFO", "clients")["connected_clients"]) - 1

    def slots(self) -> list[tuple[int, int, int]]:
        """Of its cluster: first, last, and the port of who has them."""
        ranges = self.tell("CLUSTER", "SLOTS")
        return [(first, last, master[1]) for first, last, master, *_ in ranges]

    def _options(self) -> list[str]:
        fixed = ["--dir", str(self.folder), "--pidfile", str(self.folder / "pid")]
        fixed += ["--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
        fixed += ["--bind", "127.0.0.1", "--daemonize", "no", "--loglevel", "warning"]
        return [*fixed, "--port", str(self.port)]

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError, redis.TimeoutError, FileNotFoundError):
            return bool(self.tell("PING"))
        return False


@contextmanager
def running_redis(
    folder: Path, *options: str, port: int = 0, password: str | None = None
) -> Iterator[RedisServer]:
    """`port`: 0 listens on the unix socket alone."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder, options, port, password)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def tls_options(certificates: Path, port: int) -> list[str]:
    """`certificates` holds `server`, `client` and `ca.pem`, whose clients are let in."""
    return [
        *("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "yes"),
        *("--tls-cert-file", str(certificates / "server.pem")),
        *("--tls-key-file", str(certificates / "server.key")),
        *("--tls-ca-cert-file", str(certificates / "ca.pem")),
        *("--tls-client-cert-file", str(certificates / "client.pem")),
        *("--tls-client-key-file", str(certificates / "client.key")),
    ]


@dataclass(frozen=True, slots=True)
class SentinelService:
    """A master, a replica of it, and a Sentinel that watches both."""

    master: RedisServer
    replica: RedisServer
    sentinel: RedisServer

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.sentinel.port}"

    def master_port(self) -> int:
        """As the Sentinel knows it."""
        return int(self.sentinel.tell("SENTINEL", "get-master-addr-by-name", SERVICE)[1])


@contextmanager
def running_sentinel(
    folder: Path, *, certificates: Path | None = None
) -> Iterator[SentinelService]:
    """`certificates`: all of them speak TLS alone, as `tls_options` says."""
    first, second, third = free_ports(3)
    own = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
    own += ["--tls-replication", "yes"] if certificates else []

    def options(port: int) -> list[str]:
        return own + (tls_options(certificates, port) if certificates else [])

    replicating = ("--replicaof", f"127.0.0.1 {first}")
    with (
        running_redis(folder / "a", *options(first), port=first) as master,
        running_redis(folder / "b", *options(second), *replicating, port=second) as replica,
    ):
        until(lambda: _is_in_sync(replica), replica.folder / "log")
        watching = folder / "c" / "sentinel.conf"
        watching.parent.mkdir()
        watching.write_text(
            f"sentinel monitor {SERVICE} 127.0.0.1 {first} 1\n"
            f"sentinel down-after-milliseconds {SERVICE} 300\n"
            f"sentinel failover-timeout {SERVICE} 2000\n"
        )
        sentinel = _Sentinel(watching.parent, options(third), third)
        sentinel.start()
        try:
            until(lambda: bool(sentinel.tell("SENTINEL", "REPLICAS", SERVICE)), watching)
            yield SentinelService(master, replica, sentinel)
        finally:
            sentinel.kill()


class _Sentinel(RedisServer):
    def _options(self) -> list[str]:
        own = [str(self.folder / "sentinel.conf"), "--sentinel", "--port", str(self.port)]
        own += ["--dir", str(self.folder), "--pidfile", str(self.folder / "pid")]
        return [*own, "--unixsocket", str(self.path), "--bind", "127.0.0.1"]


@contextmanager
def running_cluster(
    folder: Path, *, certificates: Path | None = None, nodes: int = 3
) -> Iterator[list[RedisServer]]:
    """Masters without replicas. Who is alone goes on with the slots that are its own.

    `certificates`: they speak TLS alone, as `tls_options` says.
    """
    ports = free_ports(2 * nodes)
    servers = []
    for port, bus in zip(ports[:nodes], ports[nodes:], strict=True):
        options = [*_CLUSTERED, "--cluster-port", str(bus)]
        if certificates:
            options += [*tls_options(certificates, port), "--tls-cluster", "yes"]
        servers.append(RedisServer(folder / str(port), options, port))
    try:
        for server in servers:
            server.folder.mkdir(parents=True)
            server.start()
        _join(servers, ports[nodes:])
        yield servers
    finally:
        for server in servers:
            server.kill()


_CLUSTERED = (
    *("--cluster-enabled", "yes", "--cluster-node-timeout", "500"),
    *("--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no"),
)


def _join(servers: Sequence[RedisServer], buses: Sequence[int]) -> None:
    share = -(-SLOTS // len(servers))
    for number, server in enumerate(servers):
        last = min(SLOTS, (number + 1) * share) - 1
        server.tell("CLUSTER", "ADDSLOTSRANGE", number * share, last)
        server.tell("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for server, bus in zip(servers[1:], buses[1:], strict=True):
        servers[0].tell("CLUSTER", "MEET", "127.0.0.1", server.port, bus)
    for server in servers:
        until(lambda server=server: _knows_all(server, len(servers)), server.folder / "log")


def _knows_all(server: RedisServer, nodes: int) -> bool:
    info = server.tell("CLUSTER INFO")
    return info["cluster_state"] == "ok" and int(info["cluster_size"]) == nodes


def _is_in_sync(replica: RedisServer) -> bool:
    return bool(replica.tell("INFO", "replication").get("master_link_status") == "up")


def free_ports(number: int) -> list[int]:
    """Of this moment, all different."""
    bound = [socket.socket() for _ in range(number)]
    try:
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]
    finally:
        for one in bound:
            one.close()


def until(ready: Callable[[], bool], log: Path) -> None:
    """A real process is waited for. Raises with the last lines of its log."""
    give_up_at = time.monotonic() + START_TIMEOUT_S  # noqa: TID251  (a real process is waited for)
    while not ready():
        if time.monotonic() > give_up_at:  # noqa: TID251  (a real process is waited for)
            raise RuntimeError(log.read_text(errors="replace")[-2_000:])
        time.sleep(0.01)


@dataclass(slots=True)
class LyingRedis:
    """Says the same to whatever it is told, or what `answers` makes of it."""

    says: bytes = b""
    port: int = 0
    greets: bool = True
    """Whether `HELLO` is answered as it should be."""
    answers: Callable[[bytes], bytes] | None = None
    callers: int = 0
    """Connections that were made to it."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        try:
            with suppress(OSError):
                while data := await reader.read(65_536):
                    writer.write(self._answer(data))
                    await writer.drain()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _answer(self, data: bytes) -> bytes:
        if self.greets and b"HELLO" in data:
            return b"%1\r\n$5\r\nproto\r\n:3\r\n"
        return self.answers(data) if self.answers else self.says


@asynccontextmanager
async def lying_redis(
    says: bytes = b"",
    *,
    greets: bool = True,
    answers: Callable[[bytes], bytes] | None = None,
    port: int = 0,
    tls: SSLContext | None = None,
) -> AsyncIterator[LyingRedis]:
    """`port`: where another server was, and is no more."""
    liar = LyingRedis(says, greets=greets, answers=answers)
    async with asyncio.TaskGroup() as conversations:
        tasks: list[asyncio.Task[None]] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(conversations.create_task(liar.answer(reader, writer)))

        async with await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls) as server:
            liar.port = server.sockets[0].getsockname()[1]
            yield liar
        for task in tasks:
            task.cancel()
