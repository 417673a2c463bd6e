"""The signs of a dispute that a connection asks for, and what they say together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from adapters.outcome import Dispute, Found, Lookup, LookupFailed, Reason, Unavailable
from adapters.tmf.concurrency import side_by_side
from adapters.tmf.fields import Row
from adapters.tmf.inquiry import Filter, Inquiry
from adapters.tmf.ownership import Owned, Subject
from adapters.tmf.profile import DisputeSource, Profile
from adapters.tmf.resources import BILL, BILLING_ACCOUNT, TICKET, Resource
from adapters.tmf.tickets import any_sign, is_balance_disputed, is_bill_on_hold, is_disputed


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sign of a dispute is looked for."""

    resource: Resource
    filters: Callable[[Profile], Filter]
    verdict: Callable[[Sequence[Row], Profile, datetime], bool | None]


SOURCES: Mapping[DisputeSource, Source] = {
    "trouble_ticket": Source(
        TICKET,
        lambda profile: Filter(
            profile.ticket_query, party=profile.ticket_parameter, account=profile.ticket_parameter
        ),
        is_disputed,
    ),
    "bill_on_hold": Source(
        BILL,
        lambda profile: Filter("account", profile.party_parameter, profile.account_filter),
        is_bill_on_hold,
    ),
    "disputed_balance": Source(
        BILLING_ACCOUNT,
        lambda profile: Filter("party", profile.party_parameter, profile.account_filter),
        lambda accounts, _profile, _now: is_balance_disputed(accounts),
    ),
}


async def disputes(inquiry: Inquiry, subjects: Sequence[Subject]) -> Mapping[str, Lookup[Dispute]]:
    """Whether each subject has an active dispute. One sign is enough, whatever became of others.

    A customer whom the vendor does not know has none: its existence is not asked about.
    """
    sources = [SOURCES[name] for name in inquiry.profile.dispute_sources]
    found = await side_by_side(partial(_signs, inquiry, subjects, source) for source in sources)
    return {one.vendor_id: _together([signs[one.vendor_id] for signs in found]) for one in subjects}


async def _signs(
    inquiry: Inquiry, subjects: Sequence[Subject], source: Source
) -> Mapping[str, bool | Unavailable]:
    if source.resource is BILLING_ACCOUNT and inquiry.profile.id_kind == "account":
        shares = await _accounts_by_id(inquiry, subjects)
    else:
        shares = await inquiry.owned(source.resource, subjects, source.filters(inquiry.profile))
    return {vendor_id: _sign(inquiry, owned, source) for vendor_id, owned in shares.items()}


async def _accounts_by_id(
    inquiry: Inquiry, subjects: Sequence[Subject]
) -> Mapping[str, Owned | Unavailable]:
    async def ask(subject: Subject) -> Owned | Unavailable:
        try:
            row = await inquiry.by_id(BILLING_ACCOUNT, subject.vendor_id)
        except LookupFailed as failure:
            return failure.as_lookup()
        return Owned(subject, () if row is None else (row,))

    shares = await side_by_side(partial(ask, one) for one in subjects)
    return dict(zip((one.vendor_id for one in subjects), shares, strict=True))


def _sign(inquiry: Inquiry, owned: Owned | Unavailable, source: Source) -> bool | Unavailable:
    if isinstance(owned, Unavailable):
        return owned
    verdict = source.verdict(owned.rows, inquiry.profile, inquiry.call.asked_at)
    told = any_sign([verdict, None if owned.is_doubtful else False])
    return Unavailable(Reason.BAD_RESPONSE) if told is None else told


def _together(signs: Sequence[bool | Unavailable]) -> Lookup[Dispute]:
    if True in signs:
        return Found(Dispute(active=True))
    untold = (sign for sign in signs if isinstance(sign, Unavailable))
    return next(untold, Found(Dispute(active=False)))
