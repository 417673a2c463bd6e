"""What became of files, certificates and forced breakers since the last look, told once each."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from proxy.telemetry import Telemetry
from proxy.telemetry.lifetimes import Reminders
from proxy.telemetry.records import (
    BreakerRecord,
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
)

_WELL = (None, "ok")
"""Outcomes of an exchange that nobody needs to be told of."""
_FORGOTTEN = timedelta(hours=1)
"""A breaker that an operator forced and that nobody gave back is told of each time it is over."""


class Vigil:
    """Compares each look with the one before it."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._versions: dict[str, int] = {}
        self._files: frozenset[FileRecord] = frozenset()
        self._reasons: dict[str, frozenset[str]] = {}
        self._reminders = Reminders()
        self._forced: dict[tuple[str, str], datetime] = {}

    def look(
        self,
        credentials: Collection[CredentialsRecord],
        *,
        files: Iterable[FileRecord],
        certificates: Iterable[CertificateRecord],
        forced: Iterable[tuple[BreakerRecord, datetime]] = (),
        now: datetime,
    ) -> None:
        """`files` and `certificates`: those that are no connection's credentials.

        `forced`: the breakers that an operator has in hand, and since when.
        """
        self._tell_of_versions(credentials)
        self._tell_of_outcomes(credentials)
        self._tell_of_files(
            frozenset(files).union(*(one.files for one in credentials)),
        )
        self._tell_of_forced(forced, now)
        in_use = [("-", one) for one in certificates]
        in_use += [
            (record.connection, one) for record in credentials for one in record.certificates
        ]
        for reminder in self._reminders.due(in_use, now):
            if not reminder.certificate.role.endswith("trust_bundle_first"):
                self._telemetry.certificate_ends(reminder)

    def _tell_of_versions(self, credentials: Iterable[CredentialsRecord]) -> None:
        before = self._versions
        self._versions = {one.connection: one.version for one in credentials}
        for connection, version in self._versions.items():
            known = before.get(connection, 0)
            for number in range(known + 1, version + 1) if known else ():
                self._telemetry.reloaded("credentials", connection=connection, version=number)

    def _tell_of_outcomes(self, connections: Iterable[CredentialsRecord]) -> None:
        """Each reason once until it is well again: a vendor that hangs gives two in turn."""
        before = self._reasons
        self._reasons = {}
        for one in connections:
            told = before.get(one.connection, frozenset())
            if one.outcome in _WELL:
                if told:
                    self._telemetry.recovered(one.connection)
                continue
            reason = str(one.outcome)
            if reason not in told:
                self._telemetry.failing(one.connection, reason, one.problem)
            self._reasons[one.connection] = told | {reason}

    def _tell_of_forced(
        self, forced: Iterable[tuple[BreakerRecord, datetime]], now: datetime
    ) -> None:
        told, self._forced = self._forced, {}
        for breaker, since in forced:
            key = breaker.connection, breaker.name
            at = max(told.get(key, since), since)
            if now >= at + _FORGOTTEN:
                at = now
                self._telemetry.still_forced(breaker, since)
            self._forced[key] = at

    def _tell_of_files(self, files: frozenset[FileRecord]) -> None:
        appeared, gone = files - self._files, self._files - files
        self._files = files
        for one in sorted(appeared, key=lambda one: (one.connection, one.file, one.what)):
            self._telemetry.bad_file(one)
        still_bad = {(one.connection, one.file) for one in files}
        mended = {(one.connection, one.file) for one in gone if one.serious} - still_bad
        for connection, file in sorted(mended):
            self._telemetry.mended_file(connection, file)
