"""From what a database refused to its cause and its cure. Pure."""

from dataclasses import replace

from adapters.outcome import LookupFailed, Reason
from proxy.doctor.findings import Advice

TABLES = "customers, bss_billing_accounts and bss_service_plans"

_CONNECTING = {
    Reason.UNREACHABLE: Advice(
        cause="no database answers at {place}",
        cure="check host, port and file in the URL, that the database runs, and that this machine "
        "or pod may reach it",
    ),
    Reason.AUTH: Advice(
        cause="the database at {place} refuses the login",
        cure="compare user and password in the URL with what the database has now: they may have "
        "been rotated there and not here",
    ),
    Reason.TLS: Advice(
        cause="there is no TLS with the database at {place}",
        cure="check the `ssl` parameter of the URL, and the certificate of the database",
    ),
    Reason.OVERLOAD: Advice(
        cause="the database at {place} has no room for one more",
        cure="raise its max_connections, or lower database.pool",
    ),
    Reason.DEADLINE: Advice(
        cause="the database at {place} did not answer in time",
        cure="allow egress to it in firewalls and NetworkPolicies; then look at its load",
    ),
    Reason.VENDOR_ERROR: Advice(
        cause="the database at {place} answers, and not as asked ({detail})",
        cure="check the name of the database in the URL, and that it is PostgreSQL or SQLite",
    ),
}


def of_url(where: str, problem: str) -> Advice:
    words = problem.removeprefix("its ")
    return Advice(
        cause=f"the URL of the database ({where}) can't be used: {words}",
        cure="write postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE or "
        "sqlite+aiosqlite:////PATH into that file, and nothing else",
    )


def of_connecting(failure: LookupFailed, place: str) -> Advice:
    advice = _CONNECTING.get(failure.reason, _CONNECTING[Reason.VENDOR_ERROR])
    return replace(advice, cause=advice.cause.format(place=place, detail=failure.detail))


def of_reading(failure: LookupFailed, *, tables: str = TABLES) -> Advice:
    """Of a SELECT, where the database lets us in."""
    if failure.reason is Reason.AUTH:
        return Advice(
            cause=f"the database does not let this user read {tables}",
            cure=f"grant SELECT on {tables} to the user of the URL",
        )
    if failure.reason is Reason.DEADLINE:
        return Advice(
            cause=f"reading {tables} takes too long",
            cure="look at the database's load and locks, and at the indexes on tenant_id and "
            "customer_id",
        )
    return Advice(
        cause=f"{tables} can't be read as Pedkai's schema has them ({failure.detail})",
        cure="check that the URL names Pedkai's database, and that its schema is up to date",
    )
