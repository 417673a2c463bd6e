"""The database of a connection, or of its identity map: opened, and asked one harmless SELECT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.call import Call
from adapters.database import EngineReader
from adapters.identity_database import PedkaiDatabaseIdentity
from adapters.identity_file import SIZE_LIMIT, BadIdentityFile, parse_identity_file
from adapters.lookup import LookupAdapter
from adapters.outcome import LookupFailed, Unavailable
from adapters.ports import Ports
from adapters.reader import Selection
from adapters.registry import build
from proxy.databases import DatabaseKey, Databases, database_of, identity_database_of
from proxy.doctor.asking import NOBODY, NobodysId, answer_of
from proxy.doctor.database_advice import of_connecting, of_reading, of_url
from proxy.doctor.findings import Advice, Fact, Report, State, Step
from proxy.doctor.patient import Patient

PATIENCE_S = 5.0


@asynccontextmanager
async def opened(key: DatabaseKey) -> AsyncIterator[tuple[AsyncEngine | None, str]]:
    """An engine, or what is wrong with its URL."""
    databases = Databases([key])
    try:
        await databases.look()
        yield databases[key].engine, databases[key].problem
    finally:
        await databases.aclose()


def url_step(key: DatabaseKey, name: str, engine: AsyncEngine | None, problem: str) -> Step:
    where = key.dsn_file or "of the environment"
    if engine is None:
        return Step.judged(f"{name} URL", where, bad=(of_url(where, problem),))
    return Step.judged(f"{name} URL", where, facts=(Fact("database", place_of(engine)),))


def place_of(engine: AsyncEngine) -> str:
    """Without user, password and query."""
    url = engine.url
    kind, name = url.get_backend_name(), url.database or ""
    if kind == "sqlite":
        return f"sqlite {name.removeprefix('file://')}"
    host = url.host or "a unix socket"
    return f"{kind} {host}:{url.port or 5432}/{name}"


async def connect_step(name: str, engine: AsyncEngine, call: Call) -> Step:
    """`SELECT 1`."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        soon = call.until(began + PATIENCE_S)
        await EngineReader(engine).read(Selection(select(literal(1))), soon)
    except LookupFailed as failure:
        bad = (of_connecting(failure, place_of(engine)),)
        return Step.judged(name, place_of(engine), bad=bad)
    return Step.judged(name, f"answers, after {(clock() - began) * 1000:.0f} ms")


async def read_step(adapter: LookupAdapter, call: Call) -> Step:
    """The tables, through the adapter itself."""
    lookup, failure = await answer_of(adapter, call)
    if isinstance(lookup, Unavailable):
        bad = (of_reading(failure or LookupFailed(lookup.reason)),)
        return Step.judged("question", "a customer that nobody has", bad=bad)
    return Step.judged("question", "a customer that nobody has: no such customer, as it should be")


async def identity_step(engine: AsyncEngine, tenant: str, call: Call) -> Step:
    identity = PedkaiDatabaseIdentity(EngineReader(engine), tenant)
    await identity.vendor_ids([NOBODY], call)
    if identity.problem is not None:
        bad = (of_reading(identity.problem, tables="customers"),)
        return Step.judged("identity map", "a customer that nobody has", bad=bad)
    return Step.judged("identity map", "customers.external_id can be read")


def identity_file_step(path: Path) -> Step:
    """Blocks: reads and parses the whole file."""
    try:
        entries = len(parse_identity_file(_content(path)))
    except OSError as error:
        problem = f"cannot be read ({type(error).__name__})"
        cure = "mount it where the configuration says, readable"
    except BadIdentityFile as error:
        problem, cure = f"is no identity map: {error}", "mend that entry: one bad row refuses all"
    else:
        doubtful = (_EMPTY,) if not entries else ()
        return Step.judged(
            "identity map", str(path), facts=(Fact("entries", str(entries)),), doubtful=doubtful
        )
    bad = (Advice(cause=f"the identity map {path} {problem}", cure=cure),)
    return Step.judged("identity map", str(path), bad=bad)


_EMPTY = Advice(
    cause="the identity map names nobody, so every customer is unknown",
    cure="fill it, or name another source under identity",
)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)


async def examine_database(patient: Patient, report: Report) -> None:
    key = database_of(patient.setting)
    if key is None:
        return
    async with opened(key) as (engine, problem):
        report.steps.append(url_step(key, "database", engine, problem))
        if engine is None:
            return
        report.steps.append(await connect_step("database", engine, patient.call()))
        if report.is_good:
            ports = Ports(
                tenant=patient.tenant,
                connection=patient.name,
                identity=NobodysId(str(NOBODY)),
                database=EngineReader(engine),
            )
            adapter = build(patient.setting.vendor, ports)
            report.steps.append(await read_step(adapter, patient.call()))


async def examine_identity(patient: Patient, report: Report) -> None:
    source = patient.setting.identity
    if source.kind == "file" and source.file is not None:
        step = await asyncio.to_thread(identity_file_step, Path(source.file))
        report.steps.append(step)
    key = identity_database_of(patient.setting)
    if key is None:
        return
    async with opened(key) as (engine, problem):
        report.steps.append(url_step(key, "identity database", engine, problem))
        if engine is None:
            return
        connected = await connect_step("identity database", engine, patient.call())
        report.steps.append(connected)
        if connected.state is not State.BAD:
            report.steps.append(await identity_step(engine, patient.tenant, patient.call()))
