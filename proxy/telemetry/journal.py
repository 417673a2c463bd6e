"""Whatever happens is told here once; the log and the metrics both hear of it."""

from proxy.telemetry.faults import described
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import Outcome, Question, QuestionRecord, RefusalRecord


class Telemetry:
    """The log and the metrics of one process."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self.log = log
        self.metrics = metrics

    def asked(self, question: Question) -> None:
        self.metrics.asked(question)

    def answered(self, record: QuestionRecord) -> None:
        self.metrics.answered(record)
        tell = self.log.error if record.outcome is Outcome.FAILED else self.log.info
        tell(
            "question",
            question=record.question.value,
            correlation_id=record.correlation_id,
            tenant=record.tenant,
            connection=record.connection,
            ids=record.ids,
            outcome=record.outcome.value,
            degraded=None if record.reason is None else record.reason.value,
            duration_ms=round(record.duration_s * 1000, 1),
        )

    def refused(self, record: RefusalRecord) -> None:
        self.metrics.refused(record)
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
