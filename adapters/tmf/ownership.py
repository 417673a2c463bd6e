"""Whose row is it? Asked of every row that comes back, before it is used.

Filters are optional in TM Forum APIs, and an ignored filter returns everybody's data. So the
answer is shared out by what each row says of its owner, and what was asked for only says which
owners are of interest. A row that names no owner is refused, unless the connection trusts the
vendor's filter (a row that was asked for by its own id is not a matter of this module). As long as
nothing shows that the filter was ignored, a refused row may be the customer's all the same, so
what is summed up without it would be a guess.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from adapters.outcome import LookupFailed, Reason
from adapters.tmf.fields import Row, is_absent, is_row, is_same
from adapters.tmf.profile import Profile, QueryBy
from adapters.tmf.rows import fingerprint, id_of, members, plain, plain_words, points_to

MOST_VERSIONS = 16
"""Of one resource, in rows that differ. Parts of it may come in several; a flood says nothing."""

_ACCOUNT = "BillingAccount"


@dataclass(frozen=True, slots=True)
class Subject:
    """One id of the vendor's that is asked about, and by what its rows are known."""

    vendor_id: str = field(repr=False)
    party: str | None = field(repr=False)
    """The id of the customer or individual; `None` where the vendor's id is an account's."""
    accounts: tuple[str, ...] = field(default=(), repr=False)
    is_doubtful: bool = False
    """An account of its could not be read, so whatever is summed up may lack a part."""

    @classmethod
    def of(cls, vendor_id: str, profile: Profile) -> "Subject":
        if profile.id_kind == "account":
            return cls(vendor_id, None, (vendor_id,))
        return cls(vendor_id, vendor_id)


@dataclass(frozen=True, slots=True)
class Owned:
    """The rows of one subject, each once."""

    subject: Subject
    rows: tuple[Row, ...] = field(default=(), repr=False)
    is_doubtful: bool = False
    """A row could not be read, or names no owner, so the others may not be all."""


@dataclass(frozen=True, slots=True)
class Named:
    """The ids that a row names: as its owners, and in any role at all."""

    parties: frozenset[str] = field(default=frozenset(), repr=False)
    accounts: frozenset[str] = field(default=frozenset(), repr=False)
    mentioned: frozenset[str] = field(default=frozenset(), repr=False)
    """Parties in any role."""
    any_account: bool = False


Naming = Callable[[Row, frozenset[str]], Named]
"""What a row of one kind says of its owners, given the roles that own."""


def names_of(row: Row, roles: frozenset[str]) -> Named:
    """Owners of a product, an account, a bill or a billing rate.

    v4 has the party's id in `relatedParty[].id`, v5 in `relatedParty[].partyOrPartyRole.id`; some
    vendors put the account there, too, and say so in `@referredType`.
    """
    parties: set[str] = set()
    account = id_of(row.get("billingAccount"))
    accounts = {account} if account else set()
    mentioned: set[str] = set()
    any_account = bool(accounts)
    for related in members(row.get("relatedParty")):
        party = related.get("partyOrPartyRole")
        party_id = id_of(party) or id_of(related)
        if not party_id:
            continue
        owns = _is_owner(related.get("role"), roles)
        if points_to(related, _ACCOUNT) or (is_row(party) and points_to(party, _ACCOUNT)):
            any_account = True
            if owns:
                accounts.add(party_id)
        else:
            mentioned.add(party_id)
            if owns:
                parties.add(party_id)
    return Named(frozenset(parties), frozenset(accounts), frozenset(mentioned), any_account)


def _is_owner(role: object, roles: frozenset[str]) -> bool:
    """Without a role a party owns; one that can't be read is not known to."""
    if isinstance(role, str):
        word = plain(role)
        return not word or word in roles
    return is_absent(role)


def names_of_account(row: Row, roles: frozenset[str]) -> Named:
    """Owners of a billing account, which is itself the account."""
    named = names_of(row, roles)
    own = id_of(row)
    return Named(
        named.parties, named.accounts | ({own} if own else set()), named.mentioned, own is not None
    )


def names_of_ticket(row: Row, roles: frozenset[str]) -> Named:
    """Owners of a trouble ticket, which may name an account among its related entities.

    v4 has the entity's id in `relatedEntity[].id`, v5 in `relatedEntity[].entity.id`.
    """
    named = names_of(row, roles)
    accounts = {
        account
        for related in members(row.get("relatedEntity"))
        for account in _accounts_in(related)
        if account
    }
    return Named(
        named.parties,
        named.accounts | accounts,
        named.mentioned,
        named.any_account or bool(accounts),
    )


def _accounts_in(related: Row) -> list[str | None]:
    entity = related.get("entity")
    reference = entity if is_row(entity) else related
    is_account = points_to(reference, _ACCOUNT) or not plain(reference.get("@referredType"))
    return [id_of(related.get("billingAccount")), id_of(reference) if is_account else None]


def names_of_customer(row: Row, _roles: frozenset[str]) -> Named:
    """The party that a customer of TMF629 is."""
    party = id_of(row.get("engagedParty"))
    parties = frozenset({party} if party else ())
    return Named(parties, mentioned=parties)


def stranger_to(
    subjects: Sequence[Subject], naming: Naming, profile: Profile
) -> Callable[[object], bool]:
    """Of a row, whether it names somebody, and none of these in any role.

    No query about these brings such a row, unless its filter is ignored.
    """
    roles = plain_words(profile.owner_roles)
    known: list[tuple[frozenset[str], frozenset[str]]] = []

    def is_strangers(row: object) -> bool:
        if not is_row(row):
            return False
        if not known:  # few pages are full, and only of these it is asked
            known.append(_ids_of(subjects))
        parties, accounts = known[0]
        named = naming(row, roles)
        if named.mentioned & parties or named.accounts & accounts:
            return False
        return bool((named.mentioned and parties) or (named.any_account and accounts))

    return is_strangers


def _ids_of(subjects: Sequence[Subject]) -> tuple[frozenset[str], frozenset[str]]:
    """Of parties, and of accounts."""
    return (
        frozenset(one.party for one in subjects if one.party),
        frozenset(account for one in subjects for account in one.accounts),
    )


def share_out(
    rows: Iterable[object],
    subjects: Sequence[Subject],
    naming: Naming,
    profile: Profile,
    *,
    by: QueryBy = "party",
) -> Mapping[str, Owned] | None:
    """The rows of each subject, by its vendor id; those of strangers are left out.

    `by` says which ids were asked for. Where accounts were, a row that names its owner has to match
    that, too: customers may share an account, and a query for several brings every pair.

    `None` when only asking one by one can tell: a row that can't be read, or that does not say
    whose it is, is somebody's whom the query asked for, and there are several. Raises
    `LookupFailed` when rows came and none of them names any owner.
    """
    sorting = _Sorting(subjects, profile, by)
    for row in rows:
        sorting.take(row, naming)
    if sorting.is_ambiguous:
        return None
    if sorting.is_all_nameless:
        raise LookupFailed(Reason.BAD_RESPONSE, "rows name no owner: see trust_filter")
    return sorting.shares()


class _Sorting:
    """The rows of one answer on their way to their owners."""

    def __init__(self, subjects: Sequence[Subject], profile: Profile, by: QueryBy) -> None:
        self._by = by
        self._by_party = {one.party: one.vendor_id for one in subjects if one.party}
        self._by_account: defaultdict[str, set[str]] = defaultdict(set)
        for subject in subjects:
            for account in subject.accounts:
                self._by_account[account].add(subject.vendor_id)
        self._subjects = subjects
        self._roles = plain_words(profile.owner_roles)
        self._trusts = profile.trust_filter
        self._mine: defaultdict[str, dict[str, list[Row]]] = defaultdict(dict)
        self._doubtful = {subject.vendor_id for subject in subjects if subject.is_doubtful}
        self._foreign = self._nameless = self._unreadable = 0

    def take(self, row: object, naming: Naming) -> None:
        if not is_row(row):
            self._unreadable += 1
            return
        named = naming(row, self._roles)
        owners = self._owners(named)
        for owner in owners:
            self._keep(owner, row)
        if not self._can_compare(named):
            self._nameless += 1
            if self._trusts and len(self._subjects) == 1:
                self._keep(self._subjects[0].vendor_id, row)
        elif not owners:
            self._foreign += 1

    def _owners(self, named: Named) -> set[str]:
        by_account: set[str] = set()
        if self._by_account:
            by_account.update(*(self._by_account.get(one, ()) for one in named.accounts))
        by_party = self._those(named.parties)
        if self._by == "party" or not self._by_party:
            return by_party | by_account
        if named.parties:
            return by_party & by_account if named.accounts else by_party
        if self._by == "party_and_account" and named.mentioned:
            return by_account & self._those(named.mentioned)
        return by_account

    def _those(self, parties: Iterable[str]) -> set[str]:
        return {self._by_party[one] for one in parties if one in self._by_party}

    def _can_compare(self, named: Named) -> bool:
        return bool(
            (named.mentioned and self._by_party) or (named.any_account and self._by_account)
        )

    def _keep(self, owner: str, row: Row) -> None:
        """Overlapping pages and queries bring a row twice; without an id nobody can tell."""
        row_id = id_of(row)
        same = self._mine[owner].setdefault(row_id or fingerprint(row), [])
        if same and any(is_same(row, known) for known in same):
            is_doubtful = not row_id
        elif len(same) < MOST_VERSIONS:
            same.append(row)
            is_doubtful = False
        else:
            is_doubtful = True
        if is_doubtful:
            self._doubtful.add(owner)

    @property
    def is_ambiguous(self) -> bool:
        return len(self._subjects) > 1 and bool(self._unreadable or self._nameless)

    @property
    def is_all_nameless(self) -> bool:
        return bool(self._nameless) and not self._foreign and not any(self._mine.values())

    def shares(self) -> dict[str, Owned]:
        # Where the filter was ignored, what can't be read or names nobody may be anybody's: it is
        # left out, and what was believed to be the customer's is not certain.
        is_ignored = bool(self._foreign)
        doubted = bool(self._unreadable) and not is_ignored
        doubted |= bool(self._nameless) and self._trusts == is_ignored
        return {
            one.vendor_id: Owned(
                one,
                tuple(row for rows in self._mine[one.vendor_id].values() for row in rows),
                is_doubtful=doubted or one.vendor_id in self._doubtful,
            )
            for one in self._subjects
        }
