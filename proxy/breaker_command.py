"""`bss-sidecar breaker`: see the breakers of a sidecar that serves, and force one.

It speaks to the admin listener, so that it works in a container that has nothing but the sidecar.
"""

import http.client
import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import quote

from config.addresses import split_url
from config.settings import AdminListener
from proxy.configuration import read_configuration
from proxy.http.breaker_words import breaker_words, breakers_of, command

EXIT_REFUSED: Final = 1
EXIT_WRONG_COMMAND: Final = 2
EXIT_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE of sysexits.h
_WITHIN_S = 5.0
_MOST_BYTES = 16 * 1024 * 1024
_FORCE = {"open": "open", "closed": "closed", "auto": None}
_MEANS = {
    "forced_open": "Nothing is sent through it; what needs it is answered degraded, at once.",
    "forced_closed": "Everything is sent through it, whatever fails: who is asked gets no rest.",
}


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The sidecar said no, or there is none; in words for the operator."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed."""

    connection: str | None = None
    """`None`: all of them."""
    wanted: str | None = None
    """`open`, `closed` or `auto`; `None`: only look."""
    breaker: str = "vendor"
    admin: str | None = None
    """URL of the admin listener, where no file says it."""
    file: Path | None = None
    json: bool = False


def run_breaker(wish: Wish, *, env: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """The exit status."""
    try:
        sidecar = _Sidecar(*_address(wish, env))
        answer = _looked(sidecar, wish) if wish.wanted is None else _forced(sidecar, wish)
    except Refused as refused:
        print(f"bss-sidecar breaker: {refused}", file=err)
        return refused.code
    print("\n".join(answer), file=out)
    return 0


class _Sidecar:
    """The admin listener of one that serves. No proxy of the environment's is on the way."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def ask(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        """The answer to a request. Raises `Refused`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_WITHIN_S)
        sent = None if content is None else json_text.dumps(content)
        headers = {} if sent is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, body=sent, headers=headers)
            reply = connection.getresponse()
            text = reply.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise Refused(
                f"no sidecar answers at {self} ({type(error).__name__}). Is it running, and in "
                "this pod? --admin URL or --file CONFIG says where its admin listener is",
                EXIT_UNAVAILABLE,
            ) from None
        finally:
            connection.close()
        try:
            answer = json_text.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Refused(f"what answers at {self} is no sidecar", EXIT_UNAVAILABLE)
        if reply.status != http.client.OK:
            said = ": ".join(str(answer[key]) for key in ("title", "detail") if key in answer)
            raise Refused(said or f"the answer was {reply.status}", EXIT_REFUSED)
        return answer

    def __str__(self) -> str:
        return f"http://{_bracketed(self._host)}:{self._port}"


def _address(wish: Wish, env: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the admin listener, as named, or as the configuration says."""
    if wish.admin is not None:
        parts = split_url(wish.admin)
        if parts is None or parts.scheme != "http" or parts.hostname is None:
            raise Refused("--admin is a URL such as http://127.0.0.1:8652", EXIT_WRONG_COMMAND)
        return parts.hostname, parts.port or AdminListener().port
    admin = AdminListener()
    if wish.file is not None:
        admin = read_configuration(wish.file, env=env, lenient=True).doors.listeners.admin
    if not admin.port:
        raise Refused(
            "the configuration lets the admin listener take any free port; the log's line "
            "`listening` has it: --admin http://127.0.0.1:PORT",
            EXIT_WRONG_COMMAND,
        )
    return admin.host, admin.port


def _looked(sidecar: _Sidecar, wish: Wish) -> Iterator[str]:
    """A line for each breaker, those of one connection only if it was named."""
    connections: Mapping[str, Any] = sidecar.ask("GET", "/v1/status").get("connections", {})
    if wish.connection is not None:
        if wish.connection not in connections:
            there_are = ", ".join(connections) or "none"
            raise Refused(f"There is no such connection: there are: {there_are}", EXIT_REFUSED)
        connections = {wish.connection: connections[wish.connection]}
    if wish.json:
        found = {name: dict(breakers_of(one)) for name, one in connections.items()}
        return iter([json_text.dumps(found, indent=2)])
    rows = [
        (connection, name, *breaker_words(breaker, command=command(connection, name)))
        for connection, one in connections.items()
        for name, breaker in breakers_of(one)
    ]
    return _table(rows) if rows else iter(["no connection has a breaker"])


def _forced(sidecar: _Sidecar, wish: Wish) -> Iterator[str]:
    name = wish.connection or ""
    content = {"force": _FORCE[str(wish.wanted)], "breaker": wish.breaker}
    breaker = sidecar.ask("POST", f"/v1/connections/{quote(name, safe='')}/breaker", content)
    if wish.json:
        return iter([json_text.dumps(breaker, indent=2)])
    return _told(name, wish.breaker, breaker)


def _told(name: str, breaker: str, status: Mapping[str, object]) -> Iterator[str]:
    """What it is now, what that means, and what to type next."""
    state = str(status.get("state"))
    words, why = breaker_words(status, command=command(name, breaker))
    yield f"{name}: {breaker}: {words}"
    if state in _MEANS:
        yield _MEANS[state]
        yield "It stays so through reloads of the configuration, until this sidecar restarts, or:"
        yield f"  {command(name, breaker)}"
    else:
        if why:
            yield why
        yield "It decides by itself."
    yield "This is the sidecar of one pod; every other pod's has breakers of its own."


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    rows = [("connection", "breaker", "state", "why"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
