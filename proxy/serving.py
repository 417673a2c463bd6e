"""`bss-sidecar serve`, by hand and injected: from a file to an exit status."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from adapters.lookup import wall_clock
from config.problems import ConfigurationProblems
from proxy.app import Sidecar
from proxy.check import EXIT_CONFIGURATION, Paint, bad_lines
from proxy.configuration import Reading, digest, read_configuration
from proxy.http.addresses import ListenerUnavailable
from proxy.lifecycle import Stop, run, settle
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log, capture_libraries
from proxy.telemetry.metrics import Metrics

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
LOOK_AGAIN_S = 1.0
"""How often an injected sidecar looks at its file, and tries listeners that it could not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve."""

    path: Path | None
    fail_open: bool
    env: Mapping[str, str]
    out: TextIO
    err: TextIO

    def run(self) -> int:
        """Serves until a signal comes; the exit status."""
        if self.fail_open:
            return run(self._whatever_happens)
        reading = read_configuration(self.path, env=self.env)
        if reading.settings is None:
            return self._refused(reading)

        async def by_hand(stop: Stop) -> int:
            return await self._by_hand(reading, stop)

        return run(by_hand)

    def _refused(self, reading: Reading) -> int:
        """Every problem is told before a port is bound."""
        found = ConfigurationProblems(reading.problems, warnings=reading.warnings)
        paint = Paint(on=self.err.isatty() and not self.env.get("NO_COLOR"))
        name = "the configuration" if self.path is None else self.path.name
        print("\n".join(bad_lines(name, found, paint)), file=self.err)
        return EXIT_CONFIGURATION

    async def _by_hand(self, reading: Reading, stop: Stop) -> int:
        sidecar = self._sidecar()
        try:
            await sidecar.take_up(reading)
            await sidecar.listen()
        except ListenerUnavailable as error:
            print(f"bss-sidecar can't listen at {error}", file=self.err)
            await sidecar.stop(0.1)
            return EXIT_UNAVAILABLE
        await stop.wait()
        await sidecar.stop()
        return 0

    async def _whatever_happens(self, stop: Stop) -> int:
        sidecar = self._sidecar()
        known = None
        while not stop.is_set:
            known = await self._look(sidecar, known)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await stop.wait()
        await sidecar.stop()
        return 0

    async def _look(self, sidecar: Sidecar, known: str | None) -> str:
        """Takes the file up if it has changed, and opens what could not be opened before."""
        now = await asyncio.to_thread(digest, self.path)
        if now != known:
            reading = await asyncio.to_thread(
                read_configuration, self.path, env=self.env, lenient=True
            )
            await sidecar.take_up(reading)
            now = reading.digest
        with suppress(ListenerUnavailable):  # told in log and status; tried again at the next look
            await sidecar.listen()
        return now

    def _sidecar(self) -> Sidecar:
        settle()
        log = Log(self.out)
        capture_libraries(log)
        return Sidecar(Telemetry(log, Metrics()), clock=wall_clock)
