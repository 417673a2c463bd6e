"""What became of files and certificates is told once: in the log, and in the figures."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import generate_latest

from proxy.telemetry import Telemetry
from proxy.telemetry.expositions import CredentialFigures, FileFigures
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import CertificateRecord, CredentialsRecord, FileRecord
from proxy.vigil import Vigil

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLIENT = CertificateRecord(
    role="client", subject="CN=x", begins=NOW, ends=NOW + timedelta(hours=24)
)
BAD = FileRecord(
    kind="credentials", connection="amdocs", file="/c/tls.key", what="is empty", remedy="mount it"
)
GOOD = CredentialsRecord(connection="amdocs", version=1, loaded_at=NOW, certificates=(CLIENT,))


class Watch:
    def __init__(self) -> None:
        self.out = io.StringIO()
        self.telemetry = Telemetry(Log(self.out), Metrics())
        self.vigil = Vigil(self.telemetry)
        self.told = 0

    def look(
        self, *credentials: CredentialsRecord, files: Any = (), at: datetime = NOW
    ) -> list[dict[str, Any]]:
        """The lines that this look adds to the log."""
        self.vigil.look(credentials, files=files, certificates=(), now=at)
        lines = [json.loads(line) for line in self.out.getvalue().splitlines()]
        told, self.told = lines[self.told :], len(lines)
        return told

    @property
    def figures(self) -> str:
        return generate_latest(self.telemetry.metrics.registry).decode()


def test_a_failing_connection_is_told_with_its_cause_when_it_fails_and_when_it_recovers() -> None:
    watch = Watch()
    well = replace(GOOD, outcome="ok")
    failing = replace(GOOD, outcome="tls", problem="the server's certificate is refused")
    assert [line["event"] for line in watch.look(GOOD)] == []
    assert [line["event"] for line in watch.look(well)] == []
    (told,) = watch.look(failing)
    assert (told["event"], told["level"]) == ("connection_failing", "warning")
    assert (told["connection"], told["reason"]) == ("amdocs", "tls")
    assert told["why"] == "the server's certificate is refused"
    assert watch.look(failing) == []
    (told,) = watch.look(replace(failing, outcome="auth"))
    assert told["reason"] == "auth"
    assert watch.look(failing) == [], "reasons that alternate are told once each"
    (told,) = watch.look(well)
    assert (told["event"], told["level"]) == ("connection_recovered", "info")


def test_a_bad_file_is_told_once_with_what_to_do_and_once_more_when_it_is_mended() -> None:
    watch = Watch()
    (line,) = watch.look(replace(GOOD, files=(BAD,)))
    assert (line["event"], line["level"]) == ("bad_file", "error")
    assert (line["connection"], line["file"]) == ("amdocs", "/c/tls.key")
    assert (line["what"], line["remedy"]) == ("is empty", "mount it")
    assert watch.look(replace(GOOD, files=(BAD,))) == []
    (other,) = watch.look(replace(GOOD, files=(replace(BAD, what="is no key"),)))
    assert other["what"] == "is no key"
    (mended,) = watch.look(GOOD)
    assert (mended["event"], mended["file"]) == ("mended_file", "/c/tls.key")
    refused = 'reloads_total{connection="amdocs",outcome="refused",what="credentials"} 2.0'
    assert refused in watch.figures


def test_a_doubtful_file_is_a_warning_and_no_refusal() -> None:
    watch = Watch()
    (line,) = watch.look(files=[replace(BAD, serious=False)])
    assert (line["event"], line["level"]) == ("doubtful_file", "warning")
    assert watch.look() == []
    assert "refused" not in watch.figures.replace("refused_requests", "")


def test_every_version_that_is_taken_counts_also_those_between_two_looks() -> None:
    watch = Watch()
    assert watch.look(GOOD) == []
    lines = watch.look(replace(GOOD, version=4))
    assert [line["version"] for line in lines] == [2, 3, 4]
    assert watch.look(replace(GOOD, version=1)) == [], "another connection under the same name"
    taken = 'reloads_total{connection="amdocs",outcome="taken",what="credentials"} 3.0'
    assert taken in watch.figures


def test_a_certificate_that_nobody_renewed_is_told_of_before_it_ends() -> None:
    watch = Watch()
    assert watch.look(GOOD, at=NOW + timedelta(hours=12)) == []
    (late,) = watch.look(GOOD, at=NOW + timedelta(hours=19))
    assert (late["event"], late["level"]) == ("certificate_ends", "warning")
    assert late["ends"] == "2026-11-23T00:00:00+00:00"
    (urgent,) = watch.look(GOOD, at=NOW + timedelta(hours=23))
    assert (urgent["event"], urgent["level"]) == ("certificate_ends", "error")
    (ended,) = watch.look(GOOD, at=NOW + timedelta(hours=24))
    assert ended["event"] == "certificate_ended"


def test_an_old_ca_that_ends_beside_a_younger_one_is_in_the_figures_only() -> None:
    watch = Watch()
    old, young = replace(CLIENT, role="trust_bundle_first"), replace(CLIENT, role="client_chain")
    lines = watch.look(replace(GOOD, certificates=(old, young)), at=NOW + timedelta(hours=25))
    assert [line["certificate"] for line in lines] == ["client_chain"]


def test_the_figures_are_those_of_the_moment_of_a_scrape() -> None:
    metrics = Metrics()
    records = [replace(GOOD, token_left_s=30.0, files=(BAD, replace(BAD, serious=False)))]
    own = [replace(CLIENT, role="listener")]
    moment = NOW + timedelta(hours=25)
    figures = CredentialFigures(lambda: records, lambda: own, lambda: moment)
    metrics.registry.register(figures)
    metrics.registry.register(FileFigures(lambda: records, tuple))
    text = generate_latest(metrics.registry).decode()
    for line in (
        'certificate_expiry_seconds{certificate="client",connection="amdocs"} -3600.0',
        'certificate_expiry_seconds{certificate="listener",connection="-"} -3600.0',
        'credentials_version{connection="amdocs"} 1.0',
        'credentials_age_seconds{connection="amdocs"} 90000.0',
        'token_expiry_seconds{connection="amdocs"} 30.0',
        'certificate_lifetime_seconds{certificate="client",connection="amdocs"} 86400.0',
        'bad_files{connection="amdocs",what="credentials"} 1.0',
    ):
        assert f"bss_sidecar_{line}" in text
    records[0] = CredentialsRecord(connection="amdocs")
    text = generate_latest(metrics.registry).decode()
    assert 'credentials_version{connection="amdocs"} 0.0' in text
    assert "credentials_age_seconds{" not in text
    assert "token_expiry_seconds{" not in text
