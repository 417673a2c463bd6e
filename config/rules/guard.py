"""What must hold of a connection's guard: bounds that fit each other, and what it guards."""

from collections.abc import Iterator

from pydantic import BaseModel

from config.problems import Place
from config.rules.case import Case, ConnectionRule, Finding, ServiceRule
from config.settings import Settings
from config.units import format_duration


def _growth_has_room(case: Case) -> Iterator[Finding]:
    guard = case.connection.guard
    retry, breaker = case.at("guard", "retry"), case.at("guard", "breaker")
    yield from _ascending(retry, guard.retry, "first_backoff", "longest_backoff")
    yield from _ascending(breaker, guard.breaker, "open_time", "longest_open_time")


def _floor_is_below_its_ceiling(case: Case) -> Iterator[Finding]:
    """A floor that nobody chose yields to a small `wire.concurrency`."""
    adaptive, ceiling = case.connection.guard.adaptive_concurrency, case.connection.wire.concurrency
    if "floor" in adaptive.model_fields_set and adaptive.floor > ceiling:
        yield Finding(
            case.at("guard", "adaptive_concurrency", "floor"),
            "is above wire.concurrency, its ceiling",
            f"at most {ceiling}, or more wire.concurrency",
            needs=(case.at("wire", "concurrency"),),
        )


def _slowness_can_be_seen(case: Case) -> Iterator[Finding]:
    breaker, timeout = case.connection.guard.breaker, case.connection.wire.exchange_timeout
    chosen = case.reach == "http" and "slow_call" in breaker.model_fields_set
    if chosen and breaker.slow_call >= timeout:
        yield Finding(
            case.at("guard", "breaker", "slow_call"),
            "is never reached: an exchange is cut off before, at wire.exchange_timeout",
            f"less than {format_duration(timeout)}",
            serious=False,
        )


def _hanging_can_be_seen(settings: Settings) -> Iterator[Finding]:
    """A hanging vendor must not pass for one that was never given time."""
    single = settings.deadlines.single
    for name, connection in settings.connections.items():
        asks_somebody = connection.base_url or connection.apis or connection.database
        if asks_somebody and connection.guard.breaker.fair_chance >= single:
            yield Finding(
                ("connections", name, "guard", "breaker", "fair_chance"),
                "is no shorter than deadlines.single: a vendor that hangs is never found out by "
                "questions about one customer",
                f"less than {format_duration(single)}",
                serious=False,
            )


def _flights_hold_a_batch(settings: Settings) -> Iterator[Finding]:
    limits = settings.limits
    if limits.batch_ids > limits.customers_in_flight:
        yield Finding(
            ("limits", "customers_in_flight"),
            f"is too small for the {limits.batch_ids} ids of batch_ids",
            f"at least {limits.batch_ids}, or fewer batch_ids",
            needs=(("limits", "batch_ids"),),
        )


def _ascending(at: Place, group: BaseModel, first: str, longest: str) -> Iterator[Finding]:
    """Told of the bound where it was written, else of what goes beyond it."""
    least, most = getattr(group, first), getattr(group, longest)
    if least <= most:
        return
    if longest in group.model_fields_set:
        what, instead = f"is shorter than {first}", f"at least {first}, {format_duration(least)}"
        yield Finding((*at, longest), what, instead, needs=((*at, first),))
    else:
        what, instead = f"is longer than {longest}", f"at most {longest}, {format_duration(most)}"
        yield Finding((*at, first), what, instead, needs=((*at, longest),))


GUARD_RULES: tuple[ConnectionRule, ...] = (
    _growth_has_room,
    _floor_is_below_its_ceiling,
    _slowness_can_be_seen,
)
GUARD_SERVICE_RULES: tuple[ServiceRule, ...] = (_hanging_can_be_seen, _flights_hold_a_batch)
