"""Where everything meets: the runtime of the moment, the three listeners, and their supervision."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from config.problems import Problem
from config.settings import Settings
from proxy.configuration import Reading
from proxy.doors import DATA, OPS, Doors
from proxy.http.addresses import Address
from proxy.http.admin import AdminRoutes, Extension
from proxy.http.data import DataRoutes, Journal
from proxy.http.door import Door
from proxy.http.ops import OpsRoutes
from proxy.http.ports import Runtime, Status
from proxy.lifecycle import Tasks
from proxy.operator import Overrides
from proxy.reporting import cache_as_json, history_as_json
from proxy.runtime import ConfiguredRuntime
from proxy.shelf import Loan, Shelf
from proxy.telemetry import Telemetry
from proxy.telemetry.expositions import (
    CacheFigures,
    CredentialFigures,
    FileFigures,
    GuardFigures,
    LogFigures,
)
from proxy.telemetry.loop_lag import watch_loop
from proxy.telemetry.records import (
    CacheRecord,
    CertificateRecord,
    ConfigurationState,
    CredentialsRecord,
    FileRecord,
    GuardRecord,
    Reload,
)
from proxy.unconfigured import UnconfiguredRuntime
from proxy.vigil import Vigil

AnyRuntime: TypeAlias = ConfiguredRuntime | UnconfiguredRuntime

LAST_LINES_S = 1.0
"""How long the end waits for a disk to take the last lines of the audit trail, and for a collector
to take the last spans."""


class _Lease:
    """A runtime that is not closed before this is over."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: AnyRuntime) -> None:
        self._runtime = runtime

    def __enter__(self) -> Runtime:
        self._runtime.leases.__enter__()
        return self._runtime

    def __exit__(self, *_: object) -> None:
        self._runtime.leases.__exit__()


class Sidecar:
    """The sidecar of one process. `take_up` gives it a configuration, `listen` opens its doors."""

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        extension: Extension | None = None,
    ) -> None:
        """`extension`: what the admin listener has more than in earnest."""
        self._telemetry = telemetry
        self._clock = clock
        self._extension = extension
        self._started = clock()
        self._tasks = Tasks(telemetry.error)
        self.spawn = self._tasks.spawn
        self._runtime: AnyRuntime = self._unconfigured()
        self._state = ConfigurationState.BAD
        self._problems: tuple[Problem, ...] = ()
        self._wanted: Settings | None = None
        self._shelf = Shelf()
        self._doors = Doors(self._door, telemetry=telemetry, spawn=self.spawn, clock=clock)
        self._vigil = Vigil(telemetry)
        self._overrides = Overrides(lambda: self._runtime, telemetry=telemetry, clock=clock)
        self._stopping = False
        telemetry.metrics.registry.register(
            CredentialFigures(self._credentials, self._own_certificates, clock)
        )
        telemetry.metrics.registry.register(GuardFigures(self._guards, self._flights))
        telemetry.metrics.registry.register(CacheFigures(self._cache))
        telemetry.metrics.registry.register(FileFigures(self._credentials, self._other_files))
        telemetry.metrics.registry.register(LogFigures(lambda: telemetry.log.dropped_lines))

    async def take_up(self, reading: Reading) -> None:
        """Serves with this configuration from now on; a bad one leaves the last good one."""
        first = self._wanted is None
        if first:
            self.spawn(watch_loop(self._telemetry.metrics.lagged))
        if reading.settings is not None:
            reading = await self._put_to_work(reading, reading.settings)
        self._problems = tuple(reading.problems)
        if reading.settings is not None:
            self._state, self._wanted = ConfigurationState.GOOD, reading.doors
        elif self._state is ConfigurationState.BAD:
            self._wanted = reading.doors
        else:
            self._state = ConfigurationState.OUTDATED
        self._tell(reading)
        if not first:
            outcome = Reload.REFUSED if reading.settings is None else Reload.TAKEN
            self._telemetry.metrics.reloaded("configuration", "-", outcome)

    async def listen(self) -> None:
        """Opens what is not open, where it should be, under the token and certificate of now.

        Raises `ListenerUnavailable` with a line for each that could not be opened.
        """
        if self._wanted is not None and not self._stopping:
            await self._doors.open(self._wanted)

    def look_after(self) -> None:
        """Tells what became of files and certificates since the last time.

        What can be read before anybody asks is read now, that is, when the doors are open.
        """
        self._runtime.read_ahead()
        self._vigil.look(
            self._credentials(),
            files=self._other_files(),
            certificates=self._own_certificates(),
            forced=self._overrides.forced(),
            now=self._clock(),
        )

    def tell(self, error: BaseException) -> None:
        """Something broke that nothing foresaw."""
        self._telemetry.error(error)

    def files(self) -> frozenset[Path]:
        """Files of the listeners that may rotate."""
        return self._doors.files()

    def addresses(self) -> Mapping[str, Address]:
        """Where each open listener listens."""
        return self._doors.addresses()

    def status(self, *, since: int | None = None) -> Status:
        """With the rows of each connection's history from that bucket on; `None`: without."""
        problems = [
            {"path": problem.path or "the file", "remedy": f"{problem.what}: {problem.instead}"}
            for problem in self._problems
        ]
        return Status(
            version=version("bss-sidecar"),
            started=self._started,
            now=self._clock(),
            ready=self._unready() is None,
            configuration=self._state,
            problems=problems,
            files=[asdict(one) for one in self._all_files()],
            listeners=self._doors.shown(),
            connections=self._connections(since),
            cache=cache_as_json(self._cache()),
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
            grace_s = (self._wanted or Settings(schema_version=1)).shutdown.grace
        self._telemetry.log.info("stopping", grace_s=grace_s)
        try:
            await self._doors.close(grace_s)
        finally:
            try:
                await self._runtime.aclose()
            finally:
                await self._tasks.cancel()
                await asyncio.to_thread(self._telemetry.end, LAST_LINES_S)

    def _lease(self) -> _Lease:
        return _Lease(self._runtime)

    async def _put_to_work(self, reading: Reading, settings: Settings) -> Reading:
        """The reading, with a problem if its settings turn out to be of no use after all."""
        self._telemetry.log.configure(level=settings.logging.level, style=settings.logging.format)
        loan = Loan(self._shelf)
        try:
            new = ConfiguredRuntime(
                settings,
                loan=loan,
                clock=self._clock,
                spawn=self.spawn,
                telemetry=self._telemetry,
            )
            await new.open()
        except Exception as error:  # noqa: BLE001  (told; the sidecar serves on without them)
            await loan.give_back()
            self._telemetry.error(error)
            problem = Problem("", f"can't be put to work ({type(error).__name__})", "see the log")
            return replace(reading, settings=None, problems=[problem])
        old, self._runtime = self._runtime, new
        self._tell_from_now_on(settings)
        old.settle_down()
        self.spawn(_retire(old))
        return reading

    def _tell_from_now_on(self, settings: Settings) -> None:
        """Of whom, and where."""
        telemetry, audit = self._telemetry, settings.audit
        telemetry.audit.configure(
            audit.sink,
            file=None if audit.file is None else Path(audit.file),
            file_size=audit.file_size,
            former_files=audit.former_files,
        )
        telemetry.metrics.tenants.count(settings.tenants if settings.metrics.by_tenant else ())
        telemetry.history.keep_only(settings.connections)

    def _connections(self, since: int | None) -> Mapping[str, Mapping[str, object]]:
        """What is shown of each, with its last minutes."""
        now, wall = self._telemetry.clock(), self._clock()

        def ago(moment: float) -> datetime:
            return wall - timedelta(seconds=now - moment)

        def history(name: str) -> Mapping[str, object]:
            glance = self._telemetry.history.of(name).glance(now, since=since or 0)
            return history_as_json(glance, ago=ago, rows=since is not None)

        shown = self._overrides.shown(self._runtime.connections())
        return {name: {**one, "history": history(name)} for name, one in shown.items()}

    def _credentials(self) -> tuple[CredentialsRecord, ...]:
        return self._runtime.credentials()

    def _cache(self) -> CacheRecord:
        return self._runtime.cache()

    def _own_certificates(self) -> tuple[CertificateRecord, ...]:
        """Those that are no connection's."""
        return (*self._doors.certificates(), *self._runtime.certificates())

    def _guards(self) -> tuple[GuardRecord, ...]:
        return self._runtime.guards()

    def _flights(self) -> int:
        return self._runtime.flights()

    def _other_files(self) -> tuple[FileRecord, ...]:
        return (*self._doors.file_problems(), *self._runtime.file_problems())

    def _all_files(self) -> tuple[FileRecord, ...]:
        credentials = (file for one in self._credentials() for file in one.files)
        return (*self._other_files(), *credentials)

    def _unconfigured(self) -> UnconfiguredRuntime:
        return UnconfiguredRuntime(
            spawn=self.spawn, report=partial(self._telemetry.adapter_failed, "-")
        )

    def _door(self, name: str) -> Door:
        telemetry = self._telemetry
        if name == DATA:
            journal = Journal(
                asked=telemetry.asked,
                answered=telemetry.answered,
                error=telemetry.error,
                traced=telemetry.tracing.question,
            )
            routes = DataRoutes(self._lease, self._clock, journal).routes()
        elif name == OPS:
            routes = OpsRoutes(telemetry.metrics.registry, self._unready).routes()
        else:
            routes = AdminRoutes(self.status, self._overrides, self._extension).routes()
        return Door(name, routes, on_refusal=telemetry.refused, on_error=telemetry.error)

    def _unready(self) -> str | None:
        if self._stopping:
            return "it is stopping"
        if not self._doors.data_is_open:
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
