"""The audit trail: one line for each question and each refusal of the data listener.

A **question** is any of the three of the contract, and that a customer be forgotten (GDPR, article
17). An auditor also asks who was turned away, so requests that the data listener refused (no token,
an unknown tenant, a body that says nothing) have their line too: `outcome` is `refused`, with the
problem and its status, and without what they said: the tenant that a stranger names is not known.
Health checks, metrics and the admin listener are no business of the trail; what an operator does to
a breaker is in the log.

Each line is a JSON object with `event` `audit`. It holds the aggregate (`total_revenue_at_risk`)
only where five customers or more were priced: of fewer it is nearly somebody's fee. All of it has
passed the scrubber, because a correlation id is the caller's and may be anything.
"""

import errno
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter

from adapters.lookup import wall_clock
from proxy.telemetry.audit_file import AuditFile
from proxy.telemetry.log import Log
from proxy.telemetry.records import QuestionRecord, RefusalRecord
from proxy.telemetry.writer import LineWriter

if TYPE_CHECKING:  # who keeps no trail need not load the scrubber
    from adapters.pii_scrubber import PIIScrubber

DATA = "data"
Where = tuple[Literal["off", "stdout", "file"], Path | None, int, int]


class Trail:
    """The audit trail of one process; off until it is configured."""

    def __init__(
        self, log: Log, registry: CollectorRegistry, *, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self._log = log
        self._clock = clock
        self._scrubber: PIIScrubber | None = None
        self._where: Where = ("off", None, 0, 0)
        self._writer: LineWriter | None = None
        self._failing = threading.Event()
        lines = Counter(
            "bss_sidecar_audit_lines",
            "Lines of the audit trail, by what became of them: `written` or `dropped`.",
            ["outcome"],
            registry=registry,
        )
        self._written, self._dropped = lines.labels("written"), lines.labels("dropped")

    def configure(
        self,
        sink: Literal["off", "stdout", "file"],
        *,
        file: Path | None = None,
        file_size: int = 0,
        former_files: int = 0,
    ) -> None:
        """Takes effect with the next line; what waits for an older file still goes there."""
        where: Where = (sink, file, file_size, former_files)
        if where == self._where:
            return
        if self._writer is not None:
            self._writer.end()
        self._where, self._writer = where, None
        if sink != "off":
            self._scrubs()
        if sink == "file" and file is not None:
            target = AuditFile(file, size=file_size, former_files=former_files)
            self._writer = LineWriter(target, name="audit")

    def answered(self, record: QuestionRecord) -> None:
        if self._where[0] != "off":
            self._tell(_of_question(record))

    def refused(self, record: RefusalRecord) -> None:
        if self._where[0] != "off" and record.listener == DATA:
            self._tell(_of_refusal(record))

    def end(self, within_s: float) -> None:
        """Waits so long at most until what waits is written. Not on the event loop."""
        writer, self._writer = self._writer, None
        self._where = ("off", None, 0, 0)
        if writer is not None:
            writer.end()
            writer.wait(within_s)

    def _tell(self, fields: Mapping[str, object]) -> None:
        line = self._line(fields)
        if self._writer is None:
            self._log.write(line, self._counted)
        elif not self._writer.put(line.encode() + b"\n", self._done):
            self._dropped.inc()

    def _line(self, fields: Mapping[str, object]) -> str:
        now = self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
        scrubbed, manifest = self._scrubs().scrub_value(dict(fields))
        line = {"timestamp": now.replace("+00:00", "Z"), "event": "audit", **scrubbed}
        if manifest:
            line["scrubbed"] = manifest
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"))

    def _scrubs(self) -> "PIIScrubber":
        """The one of this trail, which keeps its key."""
        if self._scrubber is None:
            from adapters.pii_scrubber import PIIScrubber  # noqa: PLC0415  (where there is a trail)

            self._scrubber = PIIScrubber()
        return self._scrubber

    def _done(self, error: OSError | None) -> None:
        """Said by the writer's thread. That it fails is news once, until it works again."""
        self._counted(error)
        if error is None:
            if self._failing.is_set():
                self._failing.clear()
                self._log.info("audit_recovered")
        elif not self._failing.is_set():
            self._failing.set()
            why = errno.errorcode.get(error.errno or 0, "no regular file")
            self._log.error("audit_failing", error=why, remedy="make room, or mend the path")

    def _counted(self, error: OSError | None) -> None:
        (self._written if error is None else self._dropped).inc()


def _of_question(record: QuestionRecord) -> dict[str, object]:
    from adapters.scrubbing.fields import FEWEST_PRICED  # noqa: PLC0415  (where there is a trail)

    told: dict[str, object] = {
        "correlation_id": record.correlation_id,
        "tenant": record.tenant,
        "connection": record.connection,
        "question": record.question.value,
        "ids": record.ids,
        "outcome": record.outcome.value,
        "degraded": None if record.reason is None else record.reason.value,
    }
    if record.aggregate is not None and record.aggregate.priced_customer_count >= FEWEST_PRICED:
        told |= record.aggregate.told()
    return told


def _of_refusal(record: RefusalRecord) -> dict[str, object]:
    return {
        "correlation_id": record.correlation_id,
        "outcome": "refused",
        "problem": record.problem,
        "status": record.status,
    }
