"""Where everything meets: the runtime of the moment, the three listeners, and their supervision."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from config.addresses import is_loopback
from config.problems import Problem
from config.settings import Settings
from proxy.configuration import Reading
from proxy.http.addresses import Address, ListenerUnavailable
from proxy.http.admin import AdminRoutes
from proxy.http.data import DataRoutes, Journal
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from proxy.http.ops import OpsRoutes
from proxy.http.ports import Runtime, Status
from proxy.http.tokens import token
from proxy.lifecycle import Tasks
from proxy.runtime import ConfiguredRuntime, UnconfiguredRuntime
from proxy.telemetry import Telemetry
from proxy.telemetry.records import ConfigurationState

DATA, OPS, ADMIN = "data", "ops", "admin"
OPENING_ORDER = (OPS, DATA, ADMIN)
"""Health first: it says what the others wait for."""
LAST_WORDS_S = 0.2
"""How long an answer about health may take to leave at the end."""

AnyRuntime: TypeAlias = ConfiguredRuntime | UnconfiguredRuntime


class Sidecar:
    """The sidecar of one process. `take_up` gives it a configuration, `listen` opens its doors."""

    def __init__(self, telemetry: Telemetry, *, clock: Callable[[], datetime]) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._started = clock()
        self._tasks = Tasks(telemetry.error)
        self._runtime: AnyRuntime = self._unconfigured()
        self._state = ConfigurationState.BAD
        self._problems: tuple[Problem, ...] = ()
        self._doors: Settings | None = None
        self._listeners: dict[str, Listener] = {}
        self._obstacles: dict[str, str] = dict.fromkeys(OPENING_ORDER, "not opened yet")
        self._stopping = False

    async def take_up(self, reading: Reading) -> None:
        """Serves with this configuration from now on; a bad one leaves the last good one."""
        if reading.settings is not None:
            reading = await self._put_to_work(reading, reading.settings)
        self._problems = tuple(reading.problems)
        if reading.settings is not None:
            self._state, self._doors = ConfigurationState.GOOD, reading.doors
        elif self._state is ConfigurationState.BAD:
            self._doors = reading.doors
        else:
            self._state = ConfigurationState.OUTDATED
        self._tell(reading)

    async def listen(self) -> None:
        """Opens what is not open, where it should be. Raises the first `ListenerUnavailable`."""
        if self._doors is None or self._stopping:
            return
        obstacle = None
        for name in OPENING_ORDER:
            try:
                await self._open(name, self._doors)
            except ListenerUnavailable as error:
                self._obstacle(name, str(error))
                obstacle = obstacle or error
        if obstacle is not None:
            raise obstacle

    def addresses(self) -> Mapping[str, Address]:
        """Where each open listener listens."""
        return {name: listener.bound for name, listener in self._listeners.items()}

    def status(self) -> Status:
        listeners = {name: str(address) for name, address in self.addresses().items()}
        problems = [
            {"path": problem.path or "the file", "remedy": f"{problem.what}: {problem.instead}"}
            for problem in self._problems
        ]
        return Status(
            version=version("bss-sidecar"),
            started=self._started,
            ready=self._unready() is None,
            configuration=self._state,
            problems=problems,
            listeners={name: f"not open: {why}" for name, why in self._obstacles.items()}
            | listeners,
            connections=self._runtime.connections(),
            tenants=self._runtime.tenants(),
            default_tenant=self._runtime.default_tenant
            if isinstance(self._runtime, ConfiguredRuntime)
            else None,
        )

    async def stop(self, grace_s: float | None = None) -> None:
        """Accepts nothing more, finishes what is in flight within the grace, closes everything.

        Cancelled, it waits for nothing any more, and still closes everything.
        """
        self._stopping = True
        if grace_s is None:
            grace_s = (self._doors or Settings(schema_version=1)).shutdown.grace
        self._telemetry.log.info("stopping", grace_s=grace_s)
        try:
            if (data := self._listeners.pop(DATA, None)) is not None:
                await data.close(grace_s)
        finally:
            for name in (OPS, ADMIN):
                if (listener := self._listeners.pop(name, None)) is not None:
                    await listener.close(LAST_WORDS_S)
            await self._runtime.aclose()
            await self._tasks.cancel()

    @contextmanager
    def _lease(self) -> Iterator[Runtime]:
        runtime = self._runtime
        with runtime.leases.hold():
            yield runtime

    async def _put_to_work(self, reading: Reading, settings: Settings) -> Reading:
        """The reading, with a problem if its settings turn out to be of no use after all."""
        self._telemetry.log.configure(level=settings.logging.level, style=settings.logging.format)
        try:
            new = ConfiguredRuntime(
                settings, spawn=self._tasks.spawn, report=self._telemetry.adapter_failed
            )
            await new.open()
        except Exception as error:  # noqa: BLE001  (told; the sidecar serves on without them)
            self._telemetry.error(error)
            problem = Problem("", f"can't be put to work ({type(error).__name__})", "see the log")
            return replace(reading, settings=None, problems=[problem])
        old, self._runtime = self._runtime, new
        self._tasks.spawn(_retire(old))
        return reading

    def _unconfigured(self) -> UnconfiguredRuntime:
        return UnconfiguredRuntime(spawn=self._tasks.spawn, report=self._telemetry.adapter_failed)

    async def _open(self, name: str, doors: Settings) -> None:
        address = _address(name, doors)
        gate = await asyncio.to_thread(_gate, name, doors)
        old = self._listeners.get(name)
        if old is not None and old.address == address:
            old.gate = gate
            return
        opened = Listener(self._door(name), address, gate)
        try:
            await opened.open()
        except ListenerUnavailable:
            if old is None:
                raise
            # The old one may be what stands in the way, as with another host and the same port.
            await self._listeners.pop(name).close(doors.shutdown.grace)
            await opened.open()
        else:
            if old is not None:
                self._tasks.spawn(old.close(doors.shutdown.grace))
        self._listeners[name] = opened
        self._obstacles.pop(name, None)
        self._telemetry.log.info("listening", listener=name, address=str(opened.bound))

    def _obstacle(self, name: str, why: str) -> None:
        """A listener that can't be had closes: it never stays open under weaker conditions."""
        if self._obstacles.get(name) != why:
            self._telemetry.log.error("not_listening", listener=name, because=why)
        self._obstacles[name] = why
        if (listener := self._listeners.pop(name, None)) is not None:
            self._tasks.spawn(listener.close(LAST_WORDS_S))

    def _door(self, name: str) -> Door:
        telemetry = self._telemetry
        if name == DATA:
            journal = Journal(
                asked=telemetry.asked, answered=telemetry.answered, error=telemetry.error
            )
            routes = DataRoutes(self._lease, self._clock, journal).routes()
        elif name == OPS:
            routes = OpsRoutes(telemetry.metrics.registry, self._unready).routes()
        else:
            routes = AdminRoutes(self.status).routes()
        return Door(name, routes, on_refusal=telemetry.refused, on_error=telemetry.error)

    def _unready(self) -> str | None:
        if self._stopping:
            return "it is stopping"
        if DATA not in self._listeners:
            return "the data listener is not open"
        return None

    def _tell(self, reading: Reading) -> None:
        self._telemetry.metrics.configured(self._state)
        log = self._telemetry.log
        for problem in reading.problems:
            log.error("bad_configuration", **_told(problem))
        for warning in reading.warnings:
            log.warning("doubtful_configuration", **_told(warning))
        log.info(
            "configuration",
            state=self._state.value,
            tenants=len(self._runtime.tenants()),
            connections=len(self._runtime.connections()),
        )


def _told(problem: Problem) -> dict[str, object]:
    """Where, what, and what to write instead: all that a reader of the log alone needs."""
    return asdict(problem) | {"path": problem.path or "the file"}


async def _retire(runtime: AnyRuntime) -> None:
    try:
        await runtime.leases.all_given_back()
    finally:
        await runtime.aclose()


def _address(name: str, doors: Settings) -> Address:
    listeners = doors.listeners
    if name != DATA:
        other = listeners.ops if name == OPS else listeners.admin
        return Address(host=other.host, port=other.port)
    data = listeners.data
    return Address(
        host=data.host,
        port=data.port,
        unix_socket=data.unix_socket,
        certificate_file=data.tls.certificate_file if data.tls else None,
        key_file=data.tls.key_file if data.tls else None,
    )


def _gate(name: str, doors: Settings) -> Gate:
    """Raises `ListenerUnavailable` when there should be a token and there is none."""
    if name == OPS:
        # Kubelet and Prometheus come by the pod's address; there is nothing here to protect.
        return Gate(loopback_host=False, own_origin=False)
    if name == ADMIN:
        return Gate(loopback_host=True)
    data = doors.listeners.data
    path = doors.auth.token_file
    return Gate(
        loopback_host=data.unix_socket is None and is_loopback(data.host),
        scheme="https" if data.tls else "http",
        token=None if path is None else token(Path(path)),
    )
