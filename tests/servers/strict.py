"""Servers not written here that demand a client's certificate: what nginx and Envoy share."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, TypeAlias

START_TIMEOUT_S = 30

Protocol: TypeAlias = Literal["TLSv1.2", "TLSv1.3"]

# The shell's standard input is a pipe from the tests. When they end, however they end, it reads
# the end of the file and stops the server.
_UNTIL_WE_ARE_GONE = '"$@" & read -r _; kill -TERM $!; wait $!'


class NotHere(Exception):  # noqa: N818  (a thing that is not there, not an error)
    """The program can't be run on this machine."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One address of a server, which speaks one version of TLS and shows one certificate."""

    host: Literal["127.0.0.1", "::1"]
    protocol: Protocol
    key: Literal["ec", "rsa"]
    """Kind of the server's key: it shows `server-<key>.pem`."""

    @property
    def name(self) -> str:
        return f"{'IPv6' if self.host == '::1' else 'IPv4'} {self.protocol} {self.key}"


HOSTS: Sequence[Literal["127.0.0.1", "::1"]] = ("127.0.0.1", "::1")
PROTOCOLS: Sequence[Protocol] = ("TLSv1.2", "TLSv1.3")
KEYS: Sequence[Literal["ec", "rsa"]] = ("ec", "rsa")
GATES = tuple(Gate(*one) for one in product(HOSTS, PROTOCOLS, KEYS))


@dataclass(frozen=True, slots=True)
class StrictServer:
    """Runs; each gate answers every request with what it knows of the client, as JSON.

    `serial` (hexadecimal), `subject` and `protocol`.
    """

    ports: Mapping[Gate, int]

    def base_url(self, gate: Gate) -> str:
        host = f"[{gate.host}]" if ":" in gate.host else gate.host
        return f"https://{host}:{self.ports[gate]}/"


@contextmanager
def kept_running(command: Sequence[str | Path], log: Path) -> Iterator[None]:
    with log.open("wb") as said:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _UNTIL_WE_ARE_GONE, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C is for the tests, who then stop the server
        )
    try:
        yield
    finally:
        process.communicate()  # closes the pipe, and waits for the shell


def wait_until(ready: Callable[[], bool], log: Path) -> None:
    """Raises with the last lines of the log when it does not come about."""
    give_up_at = time.monotonic() + START_TIMEOUT_S  # noqa: TID251  (a real process is waited for)
    while not ready():
        if time.monotonic() > give_up_at:  # noqa: TID251  (a real process is waited for)
            raise RuntimeError(log.read_text(errors="replace")[-2_000:])
        time.sleep(0.01)
