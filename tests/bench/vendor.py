"""A vendor that is never the bottleneck: mutual TLS, a token, a fixed time to think, and no more.

One process, one loop of its own over non-blocking TLS sockets: asyncio's TLS alone costs more than
all of this. It listens at several doors, each with its own latency.

    python -m tests.bench.vendor --certificates FOLDER --door 20ms --door 100ms:0.02:5s

prints `{"ports": [..]}` once it listens. What it answers, `tests.bench.vendor_rows` says; `POST
/oauth2/token` gives the one token that it takes; `GET /figures` tells what was asked so far.
"""

import argparse
import heapq
import json
import random
import select
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

from adapters.simulator.tls import VendorTls
from tests.bench.vendor_rows import asked_for, products

TOKEN = "token-of-the-measurements"
TOKEN_PATH = "/oauth2/token"
FIGURES_PATH = "/figures"
_BEARER = f"Bearer {TOKEN}".encode()
_TOKEN_REPLY = json.dumps(
    {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
).encode()
_READ = 65_536
_LONGEST_HEAD = 16_384
_BACKLOG = 1024
_UNITS = {"ms": 0.001, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Thought:
    """How long an answer takes: so long, or, for a share of them, much longer."""

    latency_s: float
    tail_share: float = 0.0
    tail_s: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Thought":
        """`20ms`, or `100ms:0.02:5s`."""
        latency, *tail = text.split(":")
        if not tail:
            return cls(seconds(latency))
        share, longest = tail
        return cls(seconds(latency), float(share), seconds(longest))

    def takes_s(self, luck: random.Random) -> float:
        if self.tail_share and luck.random() < self.tail_share:
            return self.tail_s
        return self.latency_s


def seconds(text: str) -> float:
    """Raises `ValueError` unless it is a number with `ms` or `s`."""
    for unit, length in _UNITS.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * length
    raise ValueError(f"{text}: a duration has a unit, ms or s")


@dataclass(slots=True)
class Figures:
    """What was asked so far."""

    requests: int = 0
    """For products, tickets, customers; without tokens and these figures."""
    customers: int = 0
    tokens: int = 0
    refused: int = 0
    """Without the token."""
    handshakes: int = 0
    connections: int = 0
    """Open now."""
    in_flight: int = 0
    most_in_flight: int = 0


@dataclass(eq=False, slots=True)
class Client:
    """One connection."""

    socket: ssl.SSLSocket
    thought: Thought
    is_shaken: bool = False
    received: bytes = b""
    unsent: bytes = b""
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `length` bytes of what was received are its own."""

    method: bytes
    target: bytes
    has_token: bool
    length: int

    @classmethod
    def parse(cls, received: bytes) -> "Request | None":
        """`None` while it is not whole. Raises `ValueError` for what is no request."""
        end = received.find(b"\r\n\r\n")
        if end < 0:
            if len(received) > _LONGEST_HEAD:
                raise ValueError("the head of a request is too long")
            return None
        head = received[: end + 2]
        method, target, _ = head[: head.find(b"\r\n")].split(b" ", 2)
        length = end + 4 + (_content_length(head) if method == b"POST" else 0)
        if len(received) < length:
            return None
        return cls(method, target, _BEARER in head, length)


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest[: rest.find(b"\r\n")]) if found else 0


@dataclass(slots=True)
class Answering:
    """From a request to its bytes. Pure but for the figures."""

    figures: Figures = field(default_factory=Figures)

    def answer(self, request: Request) -> bytes:
        path = request.target.partition(b"?")[0]
        if path == TOKEN_PATH.encode() and request.method == b"POST":
            self.figures.tokens += 1
            return reply(_TOKEN_REPLY)
        if path == FIGURES_PATH.encode():
            return reply(json.dumps(asdict(self.figures)).encode())
        if not request.has_token:
            self.figures.refused += 1
            return reply(b'{"code":"BSS-401","message":"no token"}', b"401 Unauthorized")
        self.figures.requests += 1
        return self._resource(path.rpartition(b"/")[2], asked_for(request.target))

    def _resource(self, name: bytes, ids: Sequence[bytes]) -> bytes:
        self.figures.customers += len(ids)
        rows = products(ids) if name == b"product" else []
        return reply(b"[" + b",".join(rows) + b"]", total=len(rows))


def reply(body: bytes, status: bytes = b"200 OK", *, total: int | None = None) -> bytes:
    counted = b"" if total is None else b"X-Total-Count: %d\r\n" % total
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        status,
        counted,
        len(body),
        body,
    )


class Vendor:
    """The loop: who may be read, who is due an answer."""

    def __init__(self, context: ssl.SSLContext, thoughts: Sequence[Thought], seed: int = 1) -> None:
        self._context = context
        self._luck = random.Random(seed)
        self._answering = Answering()
        self._figures = self._answering.figures
        self._epoll = select.epoll()
        self._doors: dict[int, tuple[socket.socket, Thought]] = {}
        self._clients: dict[int, Client] = {}
        self._due: list[tuple[float, int, Client, bytes]] = []
        self._order = count()
        self.ports = [self._open(one) for one in thoughts]

    def run(self) -> None:
        """For ever."""
        while True:
            self.turn()

    def turn(self) -> None:
        """Waits until somebody may be read or is due an answer, and serves them."""
        wait_s = max(0.0, self._due[0][0] - _now()) if self._due else None
        # `select` waits to the microsecond, and epoll by itself to the millisecond.
        select.select([self._epoll.fileno()], [], [], wait_s)
        for number, events in self._epoll.poll(0):
            if number in self._doors:
                self._accept(*self._doors[number])
            else:
                self._serve(self._clients[number], events)
        now = _now()
        while self._due and self._due[0][0] <= now:
            _, _, client, answer = heapq.heappop(self._due)
            self._figures.in_flight -= 1
            if not client.is_gone:
                self._send(client, answer)

    def _open(self, thought: Thought) -> int:
        door = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        door.setblocking(False)
        self._doors[door.fileno()] = (door, thought)
        self._epoll.register(door.fileno(), select.EPOLLIN)
        port: int = door.getsockname()[1]
        return port

    def _accept(self, door: socket.socket, thought: Thought) -> None:
        try:
            plain, _ = door.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        wrapped = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._clients[wrapped.fileno()] = Client(wrapped, thought)
        self._epoll.register(wrapped.fileno(), select.EPOLLIN)
        self._figures.connections += 1

    def _serve(self, client: Client, events: int) -> None:
        try:
            if not client.is_shaken:
                client.socket.do_handshake()
                client.is_shaken = True
                self._figures.handshakes += 1
            if events & select.EPOLLOUT:
                self._send(client, b"")
            self._read(client)
        except ssl.SSLWantReadError:
            pass
        except (OSError, ValueError):  # it hung up, or is no client of ours
            self._close(client)

    def _read(self, client: Client) -> None:
        while True:
            data = client.socket.recv(_READ)
            if not data:
                self._close(client)
                return
            client.received += data
            while client.received and (request := Request.parse(client.received)):
                client.received = client.received[request.length :]
                self._take(client, request)
            if not client.socket.pending():
                return

    def _take(self, client: Client, request: Request) -> None:
        figures = self._figures
        takes_s = client.thought.takes_s(self._luck)
        answer = self._answering.answer(request)
        figures.in_flight += 1
        figures.most_in_flight = max(figures.most_in_flight, figures.in_flight)
        heapq.heappush(self._due, (_now() + takes_s, next(self._order), client, answer))

    def _send(self, client: Client, answer: bytes) -> None:
        waiting = client.unsent + answer
        try:
            sent = client.socket.send(waiting)
        except ssl.SSLWantWriteError:
            sent = 0
        except OSError:
            self._close(client)
            return
        was_waiting, client.unsent = bool(client.unsent), waiting[sent:]
        if bool(client.unsent) != was_waiting:
            wanted = select.EPOLLIN | (select.EPOLLOUT if client.unsent else 0)
            self._epoll.modify(client.socket.fileno(), wanted)

    def _close(self, client: Client) -> None:
        if client.is_gone:
            return
        client.is_gone = True
        number = client.socket.fileno()
        self._epoll.unregister(number)
        del self._clients[number]
        client.socket.close()
        self._figures.connections -= 1


def _now() -> float:
    return time.monotonic()  # noqa: TID251  (the edge: this process has no event loop)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vendor")
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--door", type=Thought.parse, action="append", required=True)
    asked = parser.parse_args(arguments)
    vendor = Vendor(VendorTls.in_folder(asked.certificates).context(), asked.door)
    sys.stdout.write(json.dumps({"ports": vendor.ports}) + "\n")
    sys.stdout.flush()
    vendor.run()


if __name__ == "__main__":
    main()
