"""`bss-sidecar serve`, by hand and injected: from a file to an exit status."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from adapters.lookup import wall_clock
from config.overrides import Overrides
from config.problems import ConfigurationProblems
from proxy.app import Sidecar
from proxy.configuration import Reading, digest, read_configuration
from proxy.http.addresses import ListenerUnavailable
from proxy.http.admin import Extension
from proxy.lifecycle import Stop, run, settle
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log, capture_libraries
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.tracing import open_tracing
from proxy.watching import Hints

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
LAST_LINES_S = 1.0
"""How long the end waits for whoever reads the log."""
SETTLE_S = 0.05
SETTLE_LOOKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve."""

    path: Path | None
    fail_open: bool
    overrides: Overrides = field(default_factory=dict)
    env: Mapping[str, str]
    out: TextIO
    err: TextIO
    extension: Extension | None = None
    """What the admin listener has more than in earnest."""

    def run(self) -> int:
        """Serves until a signal comes; the exit status."""
        if self.fail_open:
            return self._logged(self._whatever_happens)
        reading = read_configuration(self.path, env=self.env, overrides=self.overrides)
        if reading.settings is None:
            return self._refused(reading)

        async def by_hand(log: Log, stop: Stop) -> int:
            return await self._by_hand(reading, log, stop)

        return self._logged(by_hand)

    def _logged(self, main: Callable[[Log, Stop], Coroutine[Any, Any, int]]) -> int:
        log = Log(self.out)
        capture_libraries(log)
        try:
            return run(partial(main, log))
        finally:
            log.end(LAST_LINES_S)

    def _refused(self, reading: Reading) -> int:
        """Every problem is told before a port is bound."""
        from proxy.check import (  # noqa: PLC0415  (a good configuration needs none of it)
            EXIT_CONFIGURATION,
            Paint,
            bad_lines,
        )

        found = ConfigurationProblems(reading.problems, warnings=reading.warnings)
        paint = Paint(on=self.err.isatty() and not self.env.get("NO_COLOR"))
        name = "the configuration" if self.path is None else self.path.name
        print("\n".join(bad_lines(name, found, paint)), file=self.err)
        return EXIT_CONFIGURATION

    async def _by_hand(self, reading: Reading, log: Log, stop: Stop) -> int:
        sidecar = self._sidecar(log)
        try:
            await sidecar.take_up(reading)
            await sidecar.listen()
        except ListenerUnavailable as error:
            for obstacle in str(error).splitlines():
                print(f"bss-sidecar can't listen at {obstacle}", file=self.err)
            await sidecar.stop(0.1)
            return EXIT_UNAVAILABLE
        await self._keep_up(sidecar, reading.digest, stop)
        return 0

    async def _whatever_happens(self, log: Log, stop: Stop) -> int:
        sidecar = self._sidecar(log)
        await self._keep_up(sidecar, None, stop)
        return 0

    async def _keep_up(self, sidecar: Sidecar, known: str | None, stop: Stop) -> None:
        """Serves what the files say, until the stop; `known`: the digest of what it serves."""
        hints = Hints(sidecar.spawn)
        stopping = sidecar.spawn(_hint_at_stop(stop, hints))
        own = () if self.path is None else (self.path,)
        try:
            while not stop.is_set:
                try:
                    known = await self._look(sidecar, known)
                except Exception as error:  # noqa: BLE001  (told; what serves, serves on)
                    sidecar.tell(error)
                hints.watch(sidecar.files().union(own))
                await hints.next()
        finally:
            stopping.cancel()
            hints.stop()
            await sidecar.stop()

    async def _look(self, sidecar: Sidecar, known: str | None) -> str:
        """Takes up what has changed, and opens what could not be opened before."""
        now = await asyncio.to_thread(digest, self.path)
        if now != known:
            await self._settled(now)
            read = partial(
                read_configuration,
                self.path,
                env=self.env,
                lenient=self.fail_open,
                overrides=self.overrides,
            )
            reading = await asyncio.to_thread(read)
            await sidecar.take_up(reading)
            now = reading.digest
        with suppress(ListenerUnavailable):  # told in log and status; tried again at the next look
            await sidecar.listen()
        sidecar.look_after()
        return now

    async def _settled(self, latest: str) -> None:
        """Half a file may be a good one, with half the tenants: it is read once it is at rest."""
        for _ in range(SETTLE_LOOKS):
            before = latest
            await asyncio.sleep(SETTLE_S)
            latest = await asyncio.to_thread(digest, self.path)
            if latest == before:
                return

    def _sidecar(self, log: Log) -> Sidecar:
        settle()
        telemetry = Telemetry(log, Metrics())
        telemetry.tracing = open_tracing(self.env, log)
        return Sidecar(telemetry, clock=wall_clock, extension=self.extension)


async def _hint_at_stop(stop: Stop, hints: Hints) -> None:
    await stop.wait()
    hints.give()
