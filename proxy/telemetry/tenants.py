"""Questions counted for each tenant, where an operator wants it: a tenant's name is a customer's.

Who may be counted is said beforehand, so there are never more series than configured tenants.
"""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter

from proxy.telemetry.records import QuestionRecord


class TenantMetrics:
    """Counts nobody until it is told whom."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._questions = Counter(
            "bss_sidecar_tenant_questions",
            "Questions of a tenant, by how they ended. Only with `metrics.by_tenant`.",
            ["tenant", "question", "outcome"],
            registry=registry,
        )
        self._degraded = Counter(
            "bss_sidecar_tenant_degraded_answers",
            "Answers to a tenant that lack something, by why. Only with `metrics.by_tenant`.",
            ["tenant", "reason"],
            registry=registry,
        )
        self._counted: frozenset[str] = frozenset()

    def count(self, tenants: Collection[str]) -> None:
        """These are counted from now on; whoever is not among them is on `/metrics` no more."""
        for gone in self._counted.difference(tenants):
            self._questions.remove_by_labels({"tenant": gone})
            self._degraded.remove_by_labels({"tenant": gone})
        self._counted = frozenset(tenants)

    @property
    def counts_any(self) -> bool:
        return bool(self._counted)

    def answered(self, record: QuestionRecord) -> None:
        if record.tenant not in self._counted:
            return
        self._questions.labels(record.tenant, record.question, record.outcome).inc()
        if record.reason is not None:
            self._degraded.labels(record.tenant, record.reason).inc()
