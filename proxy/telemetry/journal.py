"""Whatever happens is told here once; the log and the metrics both hear of it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from proxy.telemetry.audit import Trail
from proxy.telemetry.caching import CacheMeter
from proxy.telemetry.exchanges import Meter
from proxy.telemetry.faults import described
from proxy.telemetry.history import History
from proxy.telemetry.lifetimes import Reminder, Urgency
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import (
    BreakerRecord,
    FileRecord,
    Question,
    QuestionRecord,
    RefusalRecord,
    Reload,
)
from proxy.telemetry.tracing import Tracing


class Telemetry:
    """The log and the metrics of one process, and what its last minutes were like."""

    def __init__(
        self,
        log: Log,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,  # noqa: TID251  (the edge that passes `now` in)
    ) -> None:
        self.log = log
        self.metrics = metrics
        self.history = History()
        self.audit = Trail(log, metrics.registry)
        self.tracing = Tracing()
        self.clock = clock

    def end(self, within_s: float) -> None:
        """Waits so long at most, twice, for what is still to be written. Not on the event loop."""
        self.audit.end(within_s)
        self.tracing.end(within_s)

    def asked(self, question: Question) -> None:
        self.metrics.asked(question)

    def answered(self, record: QuestionRecord) -> None:
        self.metrics.answered(record)
        self.audit.answered(record)
        self.history.of(record.connection).answered(
            record.outcome, record.reason, record.duration_s, now=self.clock()
        )
        self.log.question(record)

    def refused(self, record: RefusalRecord) -> None:
        self.metrics.refused(record)
        self.audit.refused(record)
        self.log.info(
            "refused",
            listener=record.listener,
            correlation_id=record.correlation_id,
            problem=record.problem,
            status=record.status,
        )

    def error(self, error: BaseException) -> None:
        """Something broke that nothing foresaw."""
        self.metrics.failed()
        self.log.error("unforeseen", **described(error))

    def adapter_failed(self, connection: str, error_types: str) -> None:
        """An adapter raised what it should not; whom it had not learned is unavailable."""
        self.metrics.failed()
        self.log.error("adapter_failed", connection=connection, error=error_types)

    def reloaded(self, what: str, *, connection: str = "-", **fields: object) -> None:
        """Something that rotates was replaced; `what` is of a closed list."""
        self.metrics.reloaded(what, connection, Reload.TAKEN)
        self.log.info("reloaded", what=what, connection=connection, **fields)

    def failing(self, connection: str, reason: str, problem: str) -> None:
        """Exchanges of a connection began to fail, or fail for another reason than before."""
        self.log.warning("connection_failing", connection=connection, reason=reason, why=problem)

    def recovered(self, connection: str) -> None:
        self.log.info("connection_recovered", connection=connection)

    def meter(self, connection: str) -> Meter:
        """Where a connection tells what becomes of its exchanges and breakers."""
        return Meter(
            connection,
            self.metrics.exchanges,
            self.log,
            history=self.history,
            clock=self.clock,
        )

    def cache_meter(self) -> CacheMeter:
        """Where a cache tells what it does."""
        return CacheMeter(
            self.metrics.cache,
            self.log,
            self.metrics.failed,
            history=self.history,
            clock=self.clock,
        )

    def cache_doubt(self, doubt: str) -> None:
        """Something that an operator should think about, such as a Redis that writes to a disk."""
        self.log.warning("doubtful_cache", what=doubt)

    def forced(self, breaker: BreakerRecord, *, correlation_id: str) -> None:
        """An operator took a breaker in hand, or gave it back."""
        self.log.warning(
            "breaker_forced" if breaker.is_forced else "breaker_released",
            connection=breaker.connection,
            breaker=breaker.name,
            state=breaker.state.value,
            correlation_id=correlation_id,
        )

    def still_forced(self, breaker: BreakerRecord, since: datetime) -> None:
        """Nobody has given it back for a while: it may be forgotten."""
        self.log.warning(
            "breaker_still_forced",
            connection=breaker.connection,
            breaker=breaker.name,
            state=breaker.state.value,
            since=since.isoformat(timespec="seconds"),
            remedy=f"bss-sidecar breaker {breaker.connection} auto --breaker {breaker.name}",
        )

    def bad_file(self, file: FileRecord) -> None:
        """A file is not as it should be. If that is serious, the last good one serves on."""
        if file.serious:
            self.metrics.reloaded(file.kind, file.connection, Reload.REFUSED)
        tell = self.log.error if file.serious else self.log.warning
        tell("bad_file" if file.serious else "doubtful_file", **asdict(file))

    def mended_file(self, connection: str, file: str) -> None:
        self.log.info("mended_file", connection=connection, file=file)

    def certificate_ends(self, reminder: Reminder) -> None:
        tell = self.log.warning if reminder.urgency is Urgency.LATE else self.log.error
        event = "certificate_ended" if reminder.urgency is Urgency.ENDED else "certificate_ends"
        certificate = reminder.certificate
        tell(
            event,
            connection=reminder.connection,
            certificate=certificate.role,
            subject=certificate.subject,
            ends=certificate.ends.isoformat(),
            remedy="let its issuer make a new one and mount it",
        )
