"""Who asks: HTTP/1.1 over kept connections, as fast as they are answered, in a process of its own.

    python -m tests.bench.load < JSON

takes one line of JSON (`Load.as_json`), opens the connections, warms up, says `ready`, and begins
at the next line. Then it says what it saw, as one line of JSON (`Seen`). It loops over epoll by
itself: an event loop and an HTTP library would cost as much as what is measured.

Every answer's status is checked, and the body of each `EACH`th one for what it must hold.
"""

import asyncio
import base64
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

EACH = 8
_READ = 262_144
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CHUNKED = b"transfer-encoding: chunked"
_LONGEST_S = 120.0


class WrongAnswers(Exception):  # noqa: N818  (what was seen)
    """A contender does not answer as it should: its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, whole, and what its answer holds."""

    request: bytes = field(repr=False)
    holds: bytes = field(default=b"", repr=False)
    """Somewhere in the head or the body."""
    status: int = 200
    kind: str = ""
    """Latencies are told for each kind by itself."""

    @classmethod
    def get(cls, path: str, *, headers: Sequence[tuple[str, str]] = (), **more: Any) -> "Ask":
        return cls(_request("GET", path, headers, b""), **more)

    @classmethod
    def post(
        cls, path: str, document: Any, *, headers: Sequence[tuple[str, str]] = (), **more: Any
    ) -> "Ask":
        """With a JSON body."""
        body = json.dumps(document).encode()
        headers = [*headers, ("Content-Type", "application/json")]
        return cls(_request("POST", path, headers, body), **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of a port on loopback. The asks come in turn, over all connections."""

    port: int
    asks: Sequence[Ask] = field(repr=False)
    connections: int = 64
    seconds: float = 1.0
    """So long at most, once it is warm."""
    requests: int | None = None
    """So many at most."""
    counts: bytes = field(default=b"", repr=False)
    """How many answers hold this is told, such as those from a cache."""
    warm: int | None = None
    """Requests before; as many as there are asks, or connections, if that is more."""

    def as_json(self) -> str:
        asks = [
            {
                **asdict(one),
                "request": base64.b64encode(one.request).decode(),
                "holds": base64.b64encode(one.holds).decode(),
            }
            for one in self.asks
        ]
        counts = base64.b64encode(self.counts).decode()
        return json.dumps({**asdict(self), "asks": asks, "counts": counts})

    @classmethod
    def from_json(cls, text: str) -> "Load":
        told = json.loads(text)
        told["asks"] = [
            Ask(
                **{
                    **one,
                    "request": base64.b64decode(one["request"]),
                    "holds": base64.b64decode(one["holds"]),
                }
            )
            for one in told["asks"]
        ]
        told["counts"] = base64.b64decode(told["counts"])
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Kind:
    """Latencies of the answers to one kind of request."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float

    @classmethod
    def of(cls, latencies_s: Sequence[float]) -> "Kind":
        order = sorted(latencies_s)

        def at(share: float) -> float:
            return order[min(len(order) - 1, int(len(order) * share))] * 1_000

        return cls(len(order), at(0.5), at(0.95), at(0.99), order[-1] * 1_000)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a load."""

    count: int
    wall_s: float
    wrong: int
    """Answers of another status, without what they must hold, or none before the other hung up."""
    example: str
    """The status line of the first of them."""
    kinds: dict[str, Kind]
    counted: int = 0
    """Answers that hold what was to be counted."""

    @property
    def all(self) -> Kind:
        """Of the only kind there is."""
        (kind,) = self.kinds.values()
        return kind

    @property
    def per_s(self) -> float:
        return self.count / self.wall_s


class Asking:
    """A load that is warm and waits for its beginning; see `asking`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def go(self, *, strict: bool = True) -> Seen:
        """Raises `WrongAnswers` for a single one when `strict`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"go\n")
        told = json.loads(await self._process.stdout.readline())
        kinds = {name: Kind(**one) for name, one in told.pop("kinds").items()}
        seen = Seen(**told, kinds=kinds)
        if strict and seen.wrong:
            raise WrongAnswers(f"{seen.wrong} of {seen.count} are wrong, such as {seen.example!r}")
        return seen

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


async def asking(load: Load, *, core: int | None) -> Asking:
    """Connections are open and the load is warm. Who calls it calls `end` as well.

    Raises `WrongAnswers` when it does not come so far.
    """

    def settle() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if core is not None:
            os.sched_setaffinity(0, {core})

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.bench.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
        preexec_fn=settle,
        env={**_environment(), "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
    )
    made = Asking(process)
    assert process.stdin
    assert process.stdout
    process.stdin.write(load.as_json().encode() + b"\n")
    if (said := (await process.stdout.readline()).strip()) != b"ready":
        await made.end()
        raise WrongAnswers(f"port {load.port}: {said.decode(errors='replace') or 'it ended'}")
    return made


def _environment() -> dict[str, str]:
    return dict(os.environ)  # noqa: TID251  (handed on to a process of ours as it is)


def _request(method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    told = [("Host", "localhost"), *headers]
    if body:
        told.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told)]
    return "\r\n".join(lines).encode() + _END + body


class _Connection:
    __slots__ = ("ask", "asked_at", "is_busy", "is_open", "received", "socket", "whole")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(_LONGEST_S)
        self.received = b""
        self.whole = 0
        self.asked_at = 0.0
        self.is_open, self.is_busy = True, False
        self.ask = Ask(b"")

    def put(self, ask: Ask) -> None:
        self.ask, self.received, self.whole, self.is_busy = ask, b"", 0, True
        self.asked_at = time.perf_counter()
        self.socket.sendall(ask.request)

    def take(self) -> bool:
        """Whether the answer is whole now. Raises `OSError` when the other side hung up."""
        data = self.socket.recv(_READ)
        if not data:
            raise ConnectionResetError
        self.received = self.received + data if self.received else data
        if not self.whole:
            self.whole = length_of(self.received)
        return 0 < self.whole <= len(self.received) or (
            self.whole < 0 and self.received.endswith(b"0\r\n\r\n")
        )


def length_of(received: bytes) -> int:
    """Bytes of the answer that begins so: 0 while its head is not whole, -1 when it is chunked."""
    end = received.find(_END)
    if end < 0:
        return 0
    head = received[:end].lower()
    at = head.find(_LENGTH)
    if at >= 0:
        stop = head.find(b"\r", at)
        return end + 4 + int(head[at + len(_LENGTH) : stop if stop > 0 else len(head)])
    return -1 if _CHUNKED in head else end + 4


class _Loop:
    """Keeps each connection busy until enough was asked."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._asks = load.asks
        self._epoll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self._turn = 0
        self.latencies: dict[str, list[float]] = {}
        self.wrong = self.counted = 0
        self.example = ""
        for _ in range(load.connections):
            self._connect()

    def run(self, requests: int, seconds: float) -> tuple[int, float]:
        """How many were answered, and how long it took until the last answer."""
        self.latencies, began = {}, time.perf_counter()
        ends, answered, asked = began + seconds, 0, 0
        for one in list(self._open.values())[:requests]:
            one.put(self._next())
            asked += 1
        while answered < asked:
            for number, _ in self._epoll.poll(_LONGEST_S):
                one = self._open[number]
                if not one.is_busy:  # hung up on while nothing was asked
                    self._replace(one)
                elif self._taken(one):
                    answered += 1
                    now = time.perf_counter()
                    self.latencies.setdefault(one.ask.kind, []).append(now - one.asked_at)
                    if asked < requests and now < ends:
                        (one if one.is_open else self._replace(one)).put(self._next())
                        asked += 1
        return answered, time.perf_counter() - began

    def _next(self) -> Ask:
        self._turn += 1
        return self._asks[self._turn % len(self._asks)]

    def _connect(self) -> _Connection:
        one = _Connection(self._load.port)
        self._open[one.socket.fileno()] = one
        self._epoll.register(one.socket.fileno(), select.EPOLLIN)
        return one

    def _taken(self, one: _Connection) -> bool:
        """Whether it was answered, well or not."""
        try:
            if not one.take():
                return False
        except OSError as gone:
            self._note(f"hung up: {type(gone).__name__}")
            one.is_open = one.is_busy = False
            return True
        one.is_busy = False
        ask, said = one.ask, one.received
        if int(said[9:12]) != ask.status or (
            self._turn % EACH == 0 and ask.holds and ask.holds not in said
        ):
            self._note(said.partition(b"\r\n")[0].decode(errors="replace"))
        if self._load.counts and self._load.counts in said:
            self.counted += 1
        return True

    def _replace(self, one: _Connection) -> _Connection:
        number = one.socket.fileno()
        self._epoll.unregister(number)
        one.socket.close()
        del self._open[number]
        return self._connect()

    def _note(self, example: str) -> None:
        self.wrong += 1
        self.example = self.example or example


def main() -> None:
    load = Load.from_json(sys.stdin.readline())
    try:
        loop = _Loop(load)
        warm = max(len(load.asks), load.connections) if load.warm is None else load.warm
        if warm:
            loop.run(warm, _LONGEST_S)
    except OSError as trouble:
        print(f"it does not answer: {trouble!r}", flush=True)  # noqa: T201  (what it says)
        return
    loop.wrong, loop.counted, loop.example = 0, 0, ""
    print("ready", flush=True)  # noqa: T201  (as above)
    sys.stdin.readline()
    count, wall_s = loop.run(load.requests or sys.maxsize, load.seconds)
    kinds = {name: Kind.of(one) for name, one in loop.latencies.items()}
    seen = Seen(count, wall_s, loop.wrong, loop.example, kinds, loop.counted)
    print(json.dumps(asdict(seen)), flush=True)  # noqa: T201  (as above)


if __name__ == "__main__":
    main()
