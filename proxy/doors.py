"""The three listeners: where they should be, what they ask for, and what stands in their way."""

import asyncio
import errno
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from config.addresses import is_loopback
from config.settings import Settings
from proxy.http import certificate, tokens
from proxy.http.addresses import (
    UNIX_MODE,
    UNIX_MODE_ANY_USER,
    Address,
    ListenerUnavailable,
)
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from proxy.http.tokens import TokenFile
from proxy.telemetry import Telemetry
from proxy.telemetry.records import CertificateRecord, FileRecord

DATA: Final = "data"
OPS: Final = "ops"
ADMIN: Final = "admin"
OPENING_ORDER = (OPS, DATA, ADMIN)
"""Health first: it says what the others wait for."""
LAST_WORDS_S = 0.2
"""How long an answer about health may take to leave at the end."""

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Doors:
    """Opens, moves and closes listeners; those that stay where they are stay open."""

    def __init__(
        self,
        make: Callable[[str], Door],
        *,
        telemetry: Telemetry,
        spawn: Spawn,
        clock: Callable[[], datetime],
    ) -> None:
        self._make = make
        self._telemetry = telemetry
        self._spawn = spawn
        self._clock = clock
        self._listeners: dict[str, Listener] = {}
        self._obstacles: dict[str, str] = dict.fromkeys(OPENING_ORDER, "not opened yet")
        self._token_file: TokenFile | None = None

    @property
    def data_is_open(self) -> bool:
        return DATA in self._listeners

    async def open(self, wanted: Settings) -> None:
        """Opens what is not open where it should be, under the token and certificate of now.

        Raises `ListenerUnavailable` with a line for each that is not, having opened all that can
        be.
        """
        obstacles = []
        for name in OPENING_ORDER:
            try:
                await self._open(name, wanted)
            except ListenerUnavailable as error:
                why = f"{error}{_way_out(name, error)}"
                self._obstacle(name, why)
                obstacles.append(why)
        if obstacles:
            raise ListenerUnavailable("\n".join(obstacles))

    async def close(self, grace_s: float) -> None:
        """Lets questions in flight finish within the grace. Health is told until the end."""
        try:
            if (data := self._listeners.pop(DATA, None)) is not None:
                await data.close(grace_s)
        finally:
            for name in (OPS, ADMIN):
                if (listener := self._listeners.pop(name, None)) is not None:
                    await listener.close(LAST_WORDS_S)

    def addresses(self) -> Mapping[str, Address]:
        """Where each open listener listens."""
        return {name: listener.bound for name, listener in self._listeners.items()}

    def shown(self) -> Mapping[str, str]:
        """Address of each, or why it is not open."""
        return {name: f"not open: {why}" for name, why in self._obstacles.items()} | {
            name: str(address) for name, address in self.addresses().items()
        }

    def files(self) -> frozenset[Path]:
        """Files that may rotate while the listeners are open."""
        token = () if self._token_file is None else (self._token_file.path,)
        return frozenset(token).union(*(one.paths for one in self._certificates()))

    def certificates(self) -> tuple[CertificateRecord, ...]:
        return tuple(
            CertificateRecord(
                role="listener", subject=one.subject, begins=one.begins, ends=one.ends
            )
            for one in self._certificates()
        )

    def file_problems(self) -> tuple[FileRecord, ...]:
        """Files that are not as they should be, while what was read before serves on."""
        found = [
            FileRecord(
                kind="listener_certificate",
                connection="-",
                file=one.file,
                what=one.problem,
                remedy=certificate.REMEDY,
            )
            for one in self._certificates()
        ]
        if (token := self._token_file) is not None:
            found.append(
                FileRecord(
                    kind="token_file",
                    connection="-",
                    file=str(token.path),
                    what=token.problem,
                    remedy=tokens.REMEDY,
                )
            )
        return tuple(one for one in found if one.what)

    def _certificates(self) -> Iterator[certificate.ServerCertificate]:
        for listener in self._listeners.values():
            if listener.certificate is not None:
                yield listener.certificate

    async def _open(self, name: str, wanted: Settings) -> None:
        address = _address(name, wanted)
        gate = await self._gate(name, wanted)
        old = self._listeners.get(name)
        if old is not None and old.address == address:
            old.gate = gate
            await self._look_at_certificate(old)
            return
        opened = Listener(self._make(name), address, gate)
        try:
            await opened.open()
        except ListenerUnavailable:
            if old is None:
                raise
            # The old one may be what stands in the way, as with another host and the same port.
            await self._listeners.pop(name).close(wanted.shutdown.grace)
            await opened.open()
        else:
            if old is not None:
                self._spawn(old.close(wanted.shutdown.grace))
        self._listeners[name] = opened
        self._obstacles.pop(name, None)
        self._telemetry.log.info("listening", listener=name, address=str(opened.bound))

    async def _look_at_certificate(self, listener: Listener) -> None:
        shown = listener.certificate
        if shown is not None and await asyncio.to_thread(shown.look, self._clock()):
            self._telemetry.reloaded("listener_certificate", file=shown.file)

    def _obstacle(self, name: str, why: str) -> None:
        """A listener that can't be had closes: it never stays open under weaker conditions."""
        if self._obstacles.get(name) != why:
            self._telemetry.log.error("not_listening", listener=name, because=why)
        self._obstacles[name] = why
        if (listener := self._listeners.pop(name, None)) is not None:
            self._spawn(listener.close(LAST_WORDS_S))

    async def _gate(self, name: str, wanted: Settings) -> Gate:
        """Raises `ListenerUnavailable` when there should be a token and there never was one."""
        if name == OPS:
            # Kubelet and Prometheus come by the pod's address, under whatever name. On loopback
            # nobody comes but people, and the web pages in their browsers.
            own = is_loopback(wanted.listeners.ops.host)
            return Gate(loopback_host=own, own_origin=own)
        if name == ADMIN:
            return Gate(loopback_host=True)
        data = wanted.listeners.data
        accepted = await self._tokens(wanted)
        return Gate(
            loopback_host=data.unix_socket is None and is_loopback(data.host),
            scheme="https" if data.tls else "http",
            token=accepted[0] if accepted else None,
            former_tokens=accepted[1:],
        )

    async def _tokens(self, wanted: Settings) -> tuple[bytes, ...]:
        """Those to accept, the latest first; none where none is asked for."""
        if wanted.auth.token_file is None:
            self._token_file = None
            return ()
        path = Path(wanted.auth.token_file)
        file = self._token_file
        mode = tokens.MODE_ANY_USER if wanted.auth.any_user else tokens.MODE
        if file is None or file.path != path:
            file = TokenFile(path, mode=mode)
        before = file.latest
        now = asyncio.get_running_loop().time()
        accepted = await asyncio.to_thread(
            file.look, now=now, overlap_s=wanted.auth.former_token_serves
        )
        self._token_file = file
        if before is not None and before != file.latest:
            self._telemetry.reloaded("token_file", file=str(path))
        return accepted


def _way_out(name: str, error: ListenerUnavailable) -> str:
    """What to set where the port is somebody else's; nothing where that is not what is wrong."""
    cause = error.__cause__
    if not isinstance(cause, OSError) or cause.errno != errno.EADDRINUSE:
        return ""
    setting = f"listeners.{name}.port"
    return f"; choose another with {setting}, or --set {setting}=PORT"


def _address(name: str, wanted: Settings) -> Address:
    listeners = wanted.listeners
    if name != DATA:
        other = listeners.ops if name == OPS else listeners.admin
        return Address(host=other.host, port=other.port)
    data = listeners.data
    return Address(
        host=data.host,
        port=data.port,
        unix_socket=data.unix_socket,
        unix_mode=UNIX_MODE_ANY_USER if wanted.auth.any_user else UNIX_MODE,
        certificate_file=data.tls.certificate_file if data.tls else None,
        key_file=data.tls.key_file if data.tls else None,
    )
