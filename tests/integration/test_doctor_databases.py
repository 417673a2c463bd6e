"""The doctor and Pedkai's database, on a real PostgreSQL and in a SQLite file."""

from pathlib import Path
from typing import Any

import pytest

from config.settings import Connection
from proxy.doctor.findings import State
from tests.integration.examining import examined, ill, step_of
from tests.servers.pedkai import PedkaiDatabase, on_postgres
from tests.servers.postgres import Postgres


def local(tmp_path: Path, url: str) -> Connection:
    file = tmp_path / "dsn"
    file.write_text(url)
    return Connection.model_validate({"vendor": "local", "database": {"dsn_file": str(file)}})


async def test_a_database_that_is_well_passes_every_step(
    tmp_path: Path, pedkai: PedkaiDatabase
) -> None:
    report = await examined(local(tmp_path, pedkai.url))
    assert [step.name for step in report.steps] == ["database URL", "database", "question"]
    assert {step.state for step in report.steps} == {State.GOOD}


async def test_a_url_that_is_absent_or_none(tmp_path: Path) -> None:
    setting = local(tmp_path, "mysql://canary@host/base")
    advice = ill(await examined(setting), "database URL")
    assert "is not valid" in advice.cause
    assert "postgresql+asyncpg://" in advice.cure
    (tmp_path / "dsn").unlink()
    assert "can't be read" in ill(await examined(setting), "database URL").cause


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    missing = f"sqlite+aiosqlite:///{tmp_path}/none.db"
    advice = ill(await examined(local(tmp_path, missing)), "database")
    assert f"no database answers at sqlite {tmp_path}/none.db" in advice.cause
    closed = "postgresql+asyncpg://user:canary-password@127.0.0.1:1/pedkai"
    advice = ill(await examined(local(tmp_path, closed)), "database")
    assert advice.cause == "no database answers at postgresql 127.0.0.1:1/pedkai"
    assert "host, port" in advice.cure


async def test_a_database_without_pedkais_tables(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    empty.touch()
    advice = ill(await examined(local(tmp_path, f"sqlite+aiosqlite:///{empty}")), "question")
    assert "bss_billing_accounts" in advice.cause
    assert "names Pedkai's database" in advice.cure


@pytest.fixture
async def stranger(postgres: Postgres) -> str:
    """A role that may log in with its password, and read nothing."""
    database = await on_postgres(postgres)
    await database.run(
        "DO $$ BEGIN CREATE ROLE stranger LOGIN PASSWORD 'canary-4711'; "
        "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    return "stranger"


async def test_a_login_that_is_refused_and_a_privilege_that_is_missing(
    tmp_path: Path, postgres: Postgres, stranger: str
) -> None:
    wrong = postgres.url(user=stranger, password="canary-of-yesterday")
    advice = ill(await examined(local(tmp_path, wrong)), "database")
    assert "refuses the login" in advice.cause
    assert "rotated" in advice.cure
    right = postgres.url(user=stranger, password="canary-4711")
    advice = ill(await examined(local(tmp_path, right)), "question")
    assert "does not let this user read customers" in advice.cause
    assert "grant SELECT on customers" in advice.cure


async def test_a_database_of_another_name(tmp_path: Path, postgres: Postgres) -> None:
    advice = ill(await examined(local(tmp_path, postgres.url("nowhere"))), "database")
    assert "check the name of the database" in advice.cure


async def test_the_database_of_an_identity_map_is_looked_at_too(
    tmp_path: Path, pedkai: PedkaiDatabase
) -> None:
    """The vendor's own port is closed; the two have nothing to do with each other."""
    file = tmp_path / "dsn"
    file.write_text(pedkai.url)
    written: dict[str, Any] = {
        "vendor": "amdocs",
        "base_url": "http://127.0.0.1:1/",
        "insecure": True,
        "identity": {"kind": "pedkai_db", "dsn_file": str(file)},
    }
    report = await examined(Connection.model_validate(written))
    assert "the port is closed" in ill(report, "tcp 127.0.0.1:1").cause
    assert step_of(report, "identity database").state is State.GOOD
    assert step_of(report, "identity map").said == "customers.external_id can be read"
