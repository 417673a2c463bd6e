"""Asking one vendor's adapter over a real wire, and what its answers must be held to."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TypeVar

from adapters.call import Call
from adapters.lookup import LookUp, collect
from adapters.outcome import Billing, Dispute, Found, Lookup, Missing, Reason, Unavailable
from adapters.simulator import faults
from adapters.simulator.bodies import GARBAGE
from adapters.simulator.population import Shape, customer_id
from adapters.simulator.shapes import Version
from tests.servers.accounting import Books
from tests.servers.vendors import NOW, Line, vendor_data

T = TypeVar("T")

BUDGET_S = 10.0
"""Ample: whether answers come in time is another suite's question."""
ONE_OF_EACH = (*range(10), 12, 13, 14, 16, 18, 24, 26, 28, 33, 34, 38, 99)
"""Customers of every kind: known and not, with every form of price, one without a vendor's id."""

BROKEN: Mapping[str, tuple[faults.Fault, set[Reason]]] = {
    **{f"garbage, {kind}": (faults.Garbage(kind=kind), {Reason.BAD_RESPONSE}) for kind in GARBAGE},
    **{
        f"HTTP {status}": (faults.Status(status=status), {reason})
        for status, reason in (
            (400, Reason.VENDOR_ERROR),
            (403, Reason.AUTH),
            (404, Reason.BAD_RESPONSE),
            (500, Reason.VENDOR_ERROR),
            (503, Reason.VENDOR_ERROR),
        )
    },
    "refuses": (faults.Refuse(), {Reason.UNREACHABLE}),
    "accepts and is silent": (faults.HangConnect(), {Reason.UNREACHABLE, Reason.DEADLINE}),
    "never answers": (faults.Hang(), {Reason.DEADLINE, Reason.UNREACHABLE}),
    "drips": (faults.SlowDrip(piece_bytes=1, pause_s=1), {Reason.DEADLINE, Reason.UNREACHABLE}),
    "resets": (faults.Reset(), {Reason.UNREACHABLE}),
    "limits its callers": (faults.TooMany(), {Reason.RATE_LIMITED}),
    "redirects": (faults.Redirect(), {Reason.BAD_RESPONSE}),
    "sends a bomb": (faults.GzipBomb(size_bytes=9 * 1024 * 1024), {Reason.BAD_RESPONSE}),
    "has a next page elsewhere": (
        faults.NextElsewhere(),
        {Reason.BAD_RESPONSE, Reason.VENDOR_ERROR},
    ),
    "has a fault in a 200": (faults.FaultIn200(), {Reason.VENDOR_ERROR}),
}
"""Faults that leave nothing to answer with, and the reasons that may be given."""


@cache
def books(shape: Shape, version: Version = "v4") -> Books:
    return Books.of(vendor_data(shape, version), NOW)


async def billing(
    line: Line, numbers: Iterable[int], *, budget_s: float = BUDGET_S
) -> Mapping[int, Lookup[Billing]]:
    return await _ask(line, line.adapter.look_up_billing, list(numbers), budget_s)


async def disputes(
    line: Line, numbers: Iterable[int], *, budget_s: float = BUDGET_S
) -> Mapping[int, Lookup[Dispute]]:
    return await _ask(line, line.adapter.look_up_disputes, list(numbers), budget_s)


async def _ask(
    line: Line, look_up: LookUp[T], numbers: Sequence[int], budget_s: float
) -> Mapping[int, Lookup[T]]:
    tenant = f"{line.vendor.shape}_demo"
    asked = {customer_id(tenant, number): number for number in numbers}
    call = Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)
    return {asked[one]: lookup for one, lookup in (await collect(look_up, asked, call)).items()}


def assert_right(answers: Mapping[int, Lookup[Billing]], true: Books) -> None:
    """Each customer is what the vendor's own rows say, to the penny, and nobody is left out."""
    for number, lookup in answers.items():
        if number in true.known:
            assert isinstance(lookup, Found), number
            assert lookup.value.monthly_fee == true.fee(number), number
        else:
            assert lookup == Missing(), number


def assert_honest(answers: Mapping[int, Lookup[Billing]], true: Books) -> None:
    """Whatever is said is true; nobody need be answered."""
    assert_right({n: one for n, one in answers.items() if not isinstance(one, Unavailable)}, true)
