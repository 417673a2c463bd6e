"""What must hold of the whole service: tenants, currencies, time and limits."""

from collections.abc import Iterable, Iterator

from config.currencies import CURRENCIES
from config.problems import Place
from config.rules.case import Finding, ServiceRule
from config.settings import Settings
from config.shape import nearest
from config.units import format_duration

_BATCH_LIMIT_S = 60.0
_GRACE_LIMIT_S = 300.0
_SLA_S = {"single": 0.5, "batch": 2.0}
_ID_BYTES = 40  # of a quoted UUID and its comma in a JSON array


def _tenants_have_connections(settings: Settings) -> Iterator[Finding]:
    for name, tenant in settings.tenants.items():
        if tenant.connection not in settings.connections:
            yield Finding(
                ("tenants", name, "connection"),
                "names no connection of this file",
                _one_of(settings.connections, tenant.connection),
                needs=(("connections",), ("connections", tenant.connection)),
            )


def _default_tenant_exists(settings: Settings) -> Iterator[Finding]:
    wanted = settings.default_tenant
    if wanted is not None and wanted not in settings.tenants:
        yield Finding(
            ("default_tenant",),
            "names no tenant of this file",
            _one_of(settings.tenants, wanted),
            needs=(("tenants",), ("tenants", wanted)),
        )


def _somebody_is_served(settings: Settings) -> Iterator[Finding]:
    if not settings.tenants:
        what = "is empty: every question is answered 404"
        yield Finding(("tenants",), what, "a tenant and its connection", serious=False)


def _connections_are_used(settings: Settings) -> Iterator[Finding]:
    used = {tenant.connection for tenant in settings.tenants.values()}
    for name in settings.connections:
        if name not in used:
            yield Finding(
                ("connections", name),
                "is used by no tenant",
                "a tenant with this connection, or nothing",
                serious=False,
            )


def _currencies_are_currencies(settings: Settings) -> Iterator[Finding]:
    written: list[tuple[Place, str]] = [
        (("tenants", name, "reporting_currency"), tenant.reporting_currency)
        for name, tenant in settings.tenants.items()
    ]
    written += [
        (("connections", name, "database", "currency"), connection.database.currency)
        for name, connection in settings.connections.items()
        if connection.database is not None
    ]
    for place, code in written:
        if code not in CURRENCIES:
            meant = nearest(code, CURRENCIES)
            instead = f"did you mean {meant}?" if meant else "a code in use, such as GBP"
            what = "is not a code of ISO 4217 that we know, and nobody may ever be priced in it"
            yield Finding(place, what, instead, serious=False)


def _deadlines_are_sane(settings: Settings) -> Iterator[Finding]:
    deadlines = settings.deadlines
    single, batch = ("deadlines", "single"), ("deadlines", "batch")
    if deadlines.batch > _BATCH_LIMIT_S:
        yield Finding(batch, "is longer than anybody waits", "at most 1m")
    if deadlines.single > deadlines.batch:
        instead = f"at most batch, {format_duration(deadlines.batch)}"
        yield Finding(single, "is longer than the deadline of a batch", instead, needs=(batch,))
    for place, seconds in ((single, deadlines.single), (batch, deadlines.batch)):
        promised = _SLA_S[place[1]]
        if seconds > promised:
            instead = f"less than {format_duration(promised)}"
            yield Finding(place, "breaks the SLA of the contract", instead, serious=False)
    if settings.shutdown.grace > _GRACE_LIMIT_S:
        yield Finding(("shutdown", "grace"), "is longer than anybody waits", "at most 5m")


def _exchanges_fit_their_questions(settings: Settings) -> Iterator[Finding]:
    batch = settings.deadlines.batch
    for name, connection in settings.connections.items():
        wire = connection.wire
        if "exchange_timeout" in wire.model_fields_set and wire.exchange_timeout > batch:
            yield Finding(
                ("connections", name, "wire", "exchange_timeout"),
                "is longer than any question may take",
                f"at most deadlines.batch, {format_duration(batch)}",
                needs=(("deadlines", "batch"),),
            )


def _bodies_hold_a_batch(settings: Settings) -> Iterator[Finding]:
    needed = settings.limits.batch_ids * _ID_BYTES
    if needed > settings.limits.request_body:
        yield Finding(
            ("limits", "request_body"),
            f"is too small for the {settings.limits.batch_ids} ids of batch_ids",
            f"at least {-(-needed // 1024)}KiB, or fewer batch_ids",
            needs=(("limits", "batch_ids"),),
        )


def _one_of(known: Iterable[str], wanted: str) -> str:
    names = list(known)
    if not names:
        return "one that the file has; it has none yet"
    meant = nearest(wanted, names)
    return f"one of {', '.join(names)}" + (f"; did you mean {meant}?" if meant else "")


SERVICE_RULES: tuple[ServiceRule, ...] = (
    _tenants_have_connections,
    _default_tenant_exists,
    _somebody_is_served,
    _connections_are_used,
    _currencies_are_currencies,
    _deadlines_are_sane,
    _exchanges_fit_their_questions,
    _bodies_hold_a_batch,
)
