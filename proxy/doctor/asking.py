"""One harmless question: a customer that nobody has, asked for through the vendor's own adapter.

So it is asked as customers are, at the same addresses and with the same filters. A vendor that is
well says that there is no such customer.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from adapters.call import Call
from adapters.exchange import Exchange, VendorReply, VendorRequest
from adapters.identity import VendorIds
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Lookup, LookupFailed, Missing, Reason, Unavailable
from proxy.doctor.exchange_advice import of_exchange
from proxy.doctor.findings import Advice, Fact, Step

NOBODY = UUID(int=0)
NOBODYS_ID = "00000000"
"""Digits, for vendors whose ids are numbers, and as many as a billing account has."""
PATIENCE_S = 10.0


class NobodysId:
    """The identity map of a customer that nobody has."""

    def __init__(self, vendor_id: str) -> None:
        self._vendor_id = vendor_id

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds(dict.fromkeys(customer_ids, self._vendor_id))

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange: which resource, what came of it, and how long it took."""

    resource: str
    outcome: str
    took_s: float
    failure: LookupFailed | None = None


class Watched(Exchange):
    """An exchange that remembers what came of each request."""

    def __init__(self, wire: Exchange) -> None:
        self._wire = wire
        self.seen: list[Seen] = []

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        clock = asyncio.get_running_loop().time
        began, resource = clock(), request.path.partition("/")[0]
        try:
            reply = await self._wire.send(request, call)
        except LookupFailed as failure:
            self.seen.append(Seen(resource, failure.detail, clock() - began, failure))
            raise
        self.seen.append(Seen(resource, f"HTTP {reply.status}", clock() - began))
        return reply

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return self._wire.within(request, link)


async def ask_about_nobody(
    adapter: LookupAdapter, watched: Watched, call: Call, *, allowed_s: float, has_token: bool
) -> Step:
    """`allowed_s`: how long the settings give an exchange."""
    lookup, failure = await answer_of(adapter, call)
    facts = tuple(
        Fact(one.resource, f"{one.outcome}, after {milliseconds(one.took_s)}")
        for one in watched.seen
    )
    if isinstance(lookup, Unavailable):
        failed = next((one.failure for one in watched.seen if one.failure), failure)
        failed = failed or LookupFailed(lookup.reason)
        bad = (of_exchange(failed, has_token=has_token),)
        return Step.judged("question", "a customer that nobody has", facts=facts, bad=bad)
    slowest = max((one.took_s for one in watched.seen), default=0.0)
    known = "no such customer, as it should be" if isinstance(lookup, Missing) else "no price"
    return Step.judged(
        "question",
        f"a customer that nobody has: {known}",
        facts=facts,
        doubtful=too_slow("an exchange", slowest, "wire.exchange_timeout", allowed_s),
    )


async def answer_of(
    adapter: LookupAdapter, call: Call
) -> tuple[Lookup[Billing], LookupFailed | None]:
    """What an adapter says about nobody, and the failure if it raised one."""
    learned: dict[UUID, Lookup[Billing]] = {}
    try:
        async with asyncio.timeout_at(call.deadline):
            await adapter.look_up_billing([NOBODY], call, learned.setdefault)
    except LookupFailed as failed:
        return failed.as_lookup(), failed
    except TimeoutError:
        late = deadline()
        return late.as_lookup(), late
    return learned.get(NOBODY, deadline().as_lookup()), None


def too_slow(what: str, took_s: float, setting: str, allowed_s: float) -> tuple[Advice, ...]:
    """Advice where a sidecar would have given up."""
    if took_s <= allowed_s:
        return ()
    return (
        Advice(
            cause=f"{what} took {milliseconds(took_s)}, and {setting} allows "
            f"{milliseconds(allowed_s)}: such questions are answered degraded",
            cure=f"if it is so each time, ask the vendor why, or raise {setting}; the budget of a "
            "question (deadlines) ends it all the same",
        ),
    )


def deadline() -> LookupFailed:
    return LookupFailed(Reason.DEADLINE, f"no answer within {PATIENCE_S:.0f} s")


def milliseconds(time_s: float) -> str:
    return f"{time_s * 1000:.0f} ms"
