"""When to speak of a certificate's end: by the share of its lifetime that is left.

A certificate of a day is not about to end for having less than 30 days left, and one of two years
that nobody renewed is late long before its last day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from proxy.telemetry.records import CertificateRecord

LATE = 1 / 4
"""Issuers renew when a half or a third is left; with less than this, a renewal has been missed."""
URGENT = 1 / 10
AGAIN = timedelta(days=1)


class Urgency(IntEnum):
    NONE = 0
    LATE = 1  # a renewal has been missed
    URGENT = 2  # the end is near
    ENDED = 3


def urgency(begins: datetime, ends: datetime, now: datetime) -> Urgency:
    left, life = (ends - now).total_seconds(), (ends - begins).total_seconds()
    if left <= 0:
        return Urgency.ENDED
    if left < life * URGENT:
        return Urgency.URGENT
    return Urgency.LATE if left < life * LATE else Urgency.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A certificate whose end is to be spoken of now."""

    connection: str
    certificate: CertificateRecord
    urgency: Urgency


class Reminders:
    """Speaks of a certificate when it becomes more urgent, and then once a day."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, CertificateRecord], tuple[Urgency, datetime]] = {}

    def due(
        self, certificates: Iterable[tuple[str, CertificateRecord]], now: datetime
    ) -> Iterator[Reminder]:
        """Of all certificates that are in use now; those that no longer are, are forgotten."""
        told = self._told
        self._told = {}
        for one in certificates:
            connection, certificate = one
            level = urgency(certificate.begins, certificate.ends, now)
            if level is Urgency.NONE:
                continue
            before, at = told.get(one, (Urgency.NONE, now))
            if level > before or now >= at + AGAIN:
                at = now
                yield Reminder(connection=connection, certificate=certificate, urgency=level)
            self._told[one] = level, at
