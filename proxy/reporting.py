"""What a connection says of itself, for the status page, the metrics and the log."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime

from proxy.connection import VendorConnection
from proxy.credentials.certificates import CertificateFacts
from proxy.credentials.judgement import FileProblem
from proxy.credentials.snapshot import Credentials
from proxy.guard.breaker import BreakerStatus
from proxy.telemetry.history import BUCKET_S, BUCKETS, COLUMNS, Glance
from proxy.telemetry.records import (
    BreakerRecord,
    BreakerState,
    CacheRecord,
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
)


def credentials_record(name: str, connection: VendorConnection, now: datetime) -> CredentialsRecord:
    credentials, source = connection.credentials, connection.source
    status = connection.status(with_breakers=False)
    ends = status.token_ends_at
    return CredentialsRecord(
        connection=name,
        version=credentials.version if credentials else 0,
        loaded_at=credentials.loaded_at if credentials else None,
        certificates=tuple(certificate_records(credentials)) if credentials else (),
        token_left_s=(ends - now).total_seconds() if ends else None,
        open_connections=status.open_connections,
        clock_skews=tuple(status.clock_skews.items()),
        outcome=status.last_outcome,
        problem=status.problem,
        files=(
            *(_file(name, one, serious=True) for one in source.problems),
            *(_file(name, one, serious=False) for one in source.warnings),
        ),
    )


def breaker_record(connection: str, status: BreakerStatus) -> BreakerRecord:
    return BreakerRecord(
        connection=connection,
        name=status.name,
        state=BreakerState(status.state),
        opens_for_s=status.opens_for_s,
        because=status.because,
        calls=status.calls,
        failure_rate=status.failure_rate,
        slow_call_rate=status.slow_call_rate,
        opened_times=status.opened_times,
    )


def as_json(connection: VendorConnection) -> Mapping[str, object]:
    """The status of a connection as plain JSON, but for its breakers'."""
    status, credentials = connection.status(), connection.credentials
    shown = {
        one.name: _plain(getattr(status, one.name))
        for one in fields(status)
        if one.name not in {"name", "vendor", "breakers"}
    }
    if credentials is not None and credentials.certificates.client:
        shown["client_certificate"] = [_facts(one) for one in credentials.certificates.client]
    if credentials is not None and credentials.certificates.trusted:
        shown["trust_bundle"] = [_facts(one) for one in credentials.certificates.trusted]
    return shown


def cache_as_json(cache: CacheRecord) -> Mapping[str, object]:
    breakers = {
        one.name: {
            "state": one.state.value,
            "because": one.because,
            "opens_for_s": round(one.opens_for_s, 3),
            "opened_times": one.opened_times,
        }
        for one in cache.breakers
    }
    shown = {one.name: getattr(cache, one.name) for one in fields(cache)}
    return shown | {"breakers": breakers}


def history_as_json(
    glance: Glance, *, ago: Callable[[float], datetime], rows: bool
) -> Mapping[str, object]:
    """`ago`: the wall clock's time of a moment on the history's clock."""

    def at(moment: float) -> str:
        return ago(moment).isoformat(timespec="milliseconds")

    def maybe(moment: float | None) -> str | None:
        return None if moment is None else at(moment)

    shown: dict[str, object] = {
        "questions": glance.questions,
        "degraded": glance.degraded,
        "reasons": dict(glance.reasons),
        "degraded_since": maybe(glance.degraded_since),
        "degraded_last": maybe(glance.degraded_last),
        "not_closed_since": {name: at(one) for name, one in glance.not_closed_since.items()},
        "changes": [
            {
                "at": at(one.at),
                "breaker": one.breaker,
                "before": one.before,
                "state": one.state,
                "because": one.because,
                "failed_probes": one.failed_probes,
            }
            for one in glance.changes
        ],
    }
    if not rows:
        return shown
    return shown | {
        "bucket_s": BUCKET_S,
        "buckets": BUCKETS,
        "bucket": glance.bucket,
        "columns": COLUMNS,
        "rows": glance.rows,
    }


def certificate_records(credentials: Credentials, whose: str = "") -> Iterator[CertificateRecord]:
    """`whose`: how the roles of those begin that are not a connection's.

    Of a chain the issuer that ends first counts: without it, the chain is broken.

    Of a trust bundle two count. The first to end may be one that nobody uses any more; when the
    last one ends, nobody is trusted.
    """
    leaf, *issuers = credentials.certificates.client or (None,)
    trusted = credentials.certificates.trusted
    if leaf is not None:
        yield _record(f"{whose}client", leaf)
    if issuers:
        yield _record(f"{whose}client_chain", min(issuers, key=_end))
    if trusted:
        yield _record(f"{whose}trust_bundle_first", min(trusted, key=_end))
        yield _record(f"{whose}trust_bundle_last", max(trusted, key=_end))


def _end(certificate: CertificateFacts) -> datetime:
    return certificate.not_after


def _record(role: str, facts: CertificateFacts) -> CertificateRecord:
    return CertificateRecord(
        role=role, subject=facts.subject, begins=facts.not_before, ends=facts.not_after
    )


def _file(name: str, problem: FileProblem, *, serious: bool) -> FileRecord:
    return FileRecord(
        kind="credentials",
        connection=name,
        file=problem.file,
        what=f"the {problem.role} {problem.what}",
        remedy=problem.remedy,
        serious=serious,
    )


def _facts(facts: CertificateFacts) -> Mapping[str, object]:
    """A serial number has up to 160 bits: more than JSON's readers keep of a number.

    A bundle may have a hundred certificates, so nothing is copied that need not be.
    """
    return {one.name: _plain(getattr(facts, one.name)) for one in fields(facts)} | {
        "serial": f"{facts.serial:x}"
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
