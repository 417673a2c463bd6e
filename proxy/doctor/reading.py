"""What the files of a connection say, judged as the sidecar judges them."""

from collections.abc import Iterator
from datetime import datetime

from config.settings import Connection
from proxy.credentials.certificates import CertificateFacts
from proxy.credentials.files import RawFile, RawSet, read_set
from proxy.credentials.judgement import FileProblem, judge
from proxy.credentials.loading import load
from proxy.credentials.snapshot import Credentials
from proxy.doctor.certificates import facts_of, renewal_advice, subject_of, validity_of
from proxy.doctor.findings import Advice, Fact, Step

SHOWN_AUTHORITIES = 10


def read_files(connection: Connection, now: datetime) -> tuple[list[Step], Credentials | None]:
    """A step for each file, and the credentials if all are good. Blocks; never raises."""
    files = read_set(connection.tls, connection.oauth2)
    loaded = load(files, now, version=1)
    problems = loaded.judgement.problems
    facts = judge(files, now).certificates
    shown = {
        "client certificate": list(facts.client),
        "trust bundle": list(facts.trusted),
    }
    steps = [
        _step(file, shown.get(file.role, []), problems, loaded.judgement.warnings, now)
        for file in _each_once(files)
    ]
    if files.trust_bundle is None and connection.tls is not None:
        steps.append(Step.judged("trust bundle", "none is named: the system's is trusted"))
    return steps, loaded.credentials


def _each_once(files: RawSet) -> Iterator[RawFile]:
    """A key in the file of its certificate is no step of its own."""
    for file in files.files:
        if (
            files.certificate is not None
            and file == files.key
            and file.path == (files.certificate.path)
        ):
            continue
        yield file


def _step(
    file: RawFile,
    certificates: list[CertificateFacts],
    problems: tuple[FileProblem, ...],
    warnings: tuple[FileProblem, ...],
    now: datetime,
) -> Step:
    doubtful = tuple(_advice(one) for one in warnings if _is_about(one, file))
    facts: tuple[Fact, ...] = ()
    if certificates and file.role == "trust bundle":
        facts = tuple(_authorities(certificates, now))
    elif certificates:
        facts = facts_of(certificates, now)
        doubtful += renewal_advice(certificates, "the client certificate", now)
    return Step.judged(
        file.role,
        file.path,
        facts=facts,
        bad=tuple(_advice(one) for one in problems if _is_about(one, file)),
        doubtful=doubtful,
    )


def _is_about(problem: FileProblem, file: RawFile) -> bool:
    return problem.file == file.path


def _advice(problem: FileProblem) -> Advice:
    return Advice(cause=f"the {problem.role} {problem.file} {problem.what}", cure=problem.remedy)


def _authorities(certificates: list[CertificateFacts], now: datetime) -> Iterator[Fact]:
    for one in certificates[:SHOWN_AUTHORITIES]:
        yield Fact("trusts", f"{subject_of(one)}, {validity_of(one, now)}")
    if len(certificates) > SHOWN_AUTHORITIES:
        yield Fact("trusts", f"and {len(certificates) - SHOWN_AUTHORITIES} more")
