"""One question's talk with one vendor: what to ask, and the answer shared out to its owners."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote

from adapters.call import Call
from adapters.exchange import Exchange, Query, VendorRequest
from adapters.outcome import LookupFailed, Reason, Unavailable
from adapters.tmf.batching import URL_CHARACTERS, any_of, groups
from adapters.tmf.concurrency import side_by_side
from adapters.tmf.faults import CheckById, CheckList, is_missing
from adapters.tmf.fields import Row
from adapters.tmf.ownership import Owned, Subject, share_out, stranger_to
from adapters.tmf.paging import read_all
from adapters.tmf.profile import Profile, QueryBy
from adapters.tmf.resources import BILLING_ACCOUNT, Resource
from adapters.tmf.rows import id_of


@dataclass(frozen=True, slots=True)
class Filter:
    """By which ids a list is asked for, and what else its query carries."""

    by: QueryBy
    party: str
    """Name of the query parameter that filters by party."""
    account: str
    """Name of the query parameter that filters by account."""
    variants: tuple[Query, ...] = ((),)
    """Further parameters; one query is made with each variant."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    exchange: Exchange = field(repr=False)
    profile: Profile
    call: Call

    def chunks(self, subjects: Sequence[Subject]) -> Iterator[list[Subject]]:
        """Subjects that are asked for together, as the connection's batch style allows."""
        profile = self.profile
        if profile.batch_style == "off":
            yield from ([one] for one in {one.vendor_id: one for one in subjects}.values())
            return
        longest = max((profile.party_parameter, profile.ticket_parameter), key=len)
        by_id = {one.vendor_id: one for one in subjects}
        for group in groups(
            longest,
            list(by_id),
            style=profile.batch_style,
            size=profile.batch_size,
            characters=URL_CHARACTERS // 2,
        ):
            yield [by_id[vendor_id] for vendor_id in group]

    async def owned(
        self, resource: Resource, subjects: Sequence[Subject], filters: Filter
    ) -> Mapping[str, Owned | Unavailable]:
        """What each subject has of a resource, by its vendor id, or why nobody could say.

        Accounts are asked for first, where the filter needs them and they are not known.
        """
        if filters.by == "party":
            return await self._shares(resource, subjects, filters)
        known = await self._with_accounts(subjects)
        settled: dict[str, Owned | Unavailable] = {
            vendor_id: one if isinstance(one, Unavailable) else Owned(one, (), one.is_doubtful)
            for vendor_id, one in known.items()
        }
        askable = [one for one in known.values() if isinstance(one, Subject) and one.accounts]
        return settled | dict(await self._shares(resource, askable, filters))

    async def by_id(self, resource: Resource, resource_id: str) -> Row | None:
        """One resource; `None` when the vendor says that there is no such one."""
        if resource_id in (".", ".."):
            raise LookupFailed(Reason.IDENTITY, "an id that would change the path")
        request = VendorRequest(
            api=resource.api,
            path=f"{resource.path}/{quote(resource_id, safe='')}",
            verify=CheckById(self.profile, resource_id),
        )
        reply = await self.exchange.send(request, self.call)
        if is_missing(reply, self.profile):
            return None
        row: Row = reply.body
        return row

    async def listed(
        self, resource: Resource, subjects: Sequence[Subject], query: Query
    ) -> list[object]:
        """All rows of a list that is asked for about these subjects, whoever they belong to."""
        request = VendorRequest(
            api=resource.api,
            path=resource.path,
            query=query,
            verify=CheckList(self.profile),
        )
        return await read_all(
            self.exchange,
            request,
            self.call,
            page_size=self.profile.page_size,
            page_limit=self.profile.page_limit,
            is_strangers=stranger_to(subjects, resource.naming, self.profile),
        )

    async def _with_accounts(
        self, subjects: Sequence[Subject]
    ) -> Mapping[str, Subject | Unavailable]:
        unknown = [one for one in subjects if not one.accounts]
        filters = Filter("party", self.profile.party_parameter, self.profile.account_filter)
        shares = await self._shares(BILLING_ACCOUNT, unknown, filters)
        return {
            one.vendor_id: one if one.accounts else _accounts_in(shares[one.vendor_id])
            for one in subjects
        }

    async def _shares(
        self, resource: Resource, subjects: Sequence[Subject], filters: Filter
    ) -> Mapping[str, Owned | Unavailable]:
        if not subjects:
            return {}  # a query without an id would ask for everybody
        try:
            rows = await self._rows(resource, subjects, list(self._queries(subjects, filters)))
            by = filters.by if resource.adds_up else "party"
            shares = share_out(rows, subjects, resource.naming, self.profile, by=by)
        except LookupFailed as failure:
            return dict.fromkeys((one.vendor_id for one in subjects), failure.as_lookup())
        if shares is not None:
            return shares
        singly = await side_by_side(
            partial(self._shares, resource, [one], filters) for one in subjects
        )
        return {vendor_id: share for shares in singly for vendor_id, share in shares.items()}

    async def _rows(
        self, resource: Resource, subjects: Sequence[Subject], queries: Sequence[Query]
    ) -> list[object]:
        if len(queries) == 1:
            return await self.listed(resource, subjects, queries[0])
        lists = await side_by_side(
            partial(self.listed, resource, subjects, query) for query in queries
        )
        return [row for rows in lists for row in rows]

    def _queries(self, subjects: Sequence[Subject], filters: Filter) -> Iterator[Query]:
        style = self.profile.batch_style
        parties: Query = ()
        if filters.by != "account":
            parties = any_of(filters.party, [one.party or one.vendor_id for one in subjects], style)
        for accounts in self._account_parts(subjects, filters):
            for variant in filters.variants:
                yield (*parties, *accounts, *variant)

    def _account_parts(self, subjects: Sequence[Subject], filters: Filter) -> Iterator[Query]:
        if filters.by == "party":
            yield ()
            return
        style = self.profile.batch_style
        accounts = list(dict.fromkeys(account for one in subjects for account in one.accounts))
        for group in groups(
            filters.account,
            accounts,
            style=style,
            size=self.profile.batch_size,
            characters=URL_CHARACTERS // 2,
        ):
            yield any_of(filters.account, group, style)


def _accounts_in(owned: Owned | Unavailable) -> Subject | Unavailable:
    if isinstance(owned, Unavailable):
        return owned
    accounts = [account for account in map(id_of, owned.rows) if account]
    doubtful = owned.is_doubtful or len(accounts) < len(owned.rows)
    return replace(owned.subject, accounts=tuple(accounts), is_doubtful=doubtful)
