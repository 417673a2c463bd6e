"""What errors of the drivers mean, and how an engine is opened."""

import ssl

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from adapters.database import open_engine, reason_of
from adapters.outcome import Reason


class Answered(Exception):  # noqa: N818  (as a driver's error with an SQLSTATE)
    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "reason"),
    [
        ("28P01", Reason.AUTH),
        ("28000", Reason.AUTH),
        ("42501", Reason.AUTH),
        ("57014", Reason.DEADLINE),
        ("53300", Reason.OVERLOAD),
        ("08006", Reason.UNREACHABLE),
        ("57P01", Reason.UNREACHABLE),
        ("57P03", Reason.UNREACHABLE),
        ("42P01", Reason.VENDOR_ERROR),
        ("XX000", Reason.VENDOR_ERROR),
    ],
)
def test_an_sqlstate_gives_the_reason_wherever_it_is(sqlstate: str, reason: Reason) -> None:
    cause = Answered(sqlstate)
    assert reason_of(cause) is reason
    assert reason_of(OperationalError("SELECT", {}, cause)) is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ssl.SSLCertVerificationError(), Reason.TLS),
        (ConnectionResetError(), Reason.UNREACHABLE),
        (TimeoutError(), Reason.UNREACHABLE),
        (DBAPIError("SELECT", {}, Exception(), connection_invalidated=True), Reason.UNREACHABLE),
        (DBAPIError("SELECT", {}, Exception()), Reason.VENDOR_ERROR),
        (ValueError(), Reason.VENDOR_ERROR),
    ],
)
def test_an_error_without_one_is_judged_by_its_kind(error: Exception, reason: Reason) -> None:
    assert reason_of(error) is reason


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_the_driver_may_be_left_out(scheme: str) -> None:
    engine = open_engine(f" {scheme}://u:secret@db/x\n", pool=3, connect_timeout_s=1)
    assert engine.url.drivername == "postgresql+asyncpg"
    assert engine.dialect.name == "postgresql"


@pytest.mark.parametrize("file", ["/data/pedkai.db", "file:///data/pedkai.db"])
def test_a_sqlite_file_is_opened_for_reading_only(file: str) -> None:
    url = open_engine(f"sqlite:///{file}", pool=1, connect_timeout_s=1).url
    assert url.database == "file:///data/pedkai.db"
    assert url.query == {"mode": "ro", "uri": "true"}


def test_an_engine_hides_parameters_and_has_no_more_connections_than_its_pool() -> None:
    engine = open_engine("postgresql://u:secret@db/x", pool=3, connect_timeout_s=1)
    assert engine.sync_engine.hide_parameters
    assert engine.pool.size() == 3  # type: ignore[attr-defined]
    assert engine.pool._max_overflow == 0  # type: ignore[attr-defined]
    assert "secret" not in repr(engine)
