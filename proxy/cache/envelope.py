"""Entries as a store sees them: sealed bytes under keyed names."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Generic, NamedTuple, TypeVar, get_args
from uuid import UUID

from adapters.outcome import Billing, Dispute
from proxy.cache import codec, names
from proxy.cache.keys import KeyRings
from proxy.cache.names import Names, Question
from proxy.cache.rules import BASIS_BYTES, NO_BASIS, Entry, Known
from proxy.cache.seal import LONGEST_MS, TIMES, Refused, Sealer, too_old_or_new

T = TypeVar("T")

QUESTIONS: tuple[Question, ...] = get_args(Question)

_HEAD = Struct(f">II{BASIS_BYTES}s")
"""For how long it is fresh, and what it took to find out, in ms; the basis; what was said follows.
"""
INSIDE = Struct(TIMES.format + _HEAD.format.removeprefix(">"))
"""The seal's own times and length, and that head behind them: one entry is read at one go."""
_INSIDE_BYTES = INSIDE.size
_unpack = INSIDE.unpack_from
_entry = tuple.__new__
"""`Entry(…)` itself takes twice as long, hundreds of times in a batch."""


class Section(NamedTuple, Generic[T]):
    """Where answers of one kind are kept for one tenant on one connection, and never shared."""

    tenant: str
    connection: str
    question: Question
    decode: Callable[[bytes], Known[T]]
    basis: bytes = NO_BASIS
    """Tells what decides the answers here (`basis_of`). What was learned on another basis is as
    good as not known. No name tells it, so that who forgets need not know those of others.
    """

    def key(self, customer_id: UUID) -> "Key":
        return Key(self.tenant, self.connection, self.question, customer_id)


def basis_of(words: str) -> bytes:
    """Of all that decides what a connection answers: who is asked, and how it is understood."""
    return sha256(words.encode("utf-8", "surrogatepass")).digest()[:BASIS_BYTES]


def billing_section(tenant: str, connection: str, basis: bytes = NO_BASIS) -> Section[Billing]:
    return Section(tenant, connection, "billing", codec.decode_billing, basis)


def dispute_section(tenant: str, connection: str, basis: bytes = NO_BASIS) -> Section[Dispute]:
    return Section(tenant, connection, "disputes", codec.decode_dispute, basis)


class Key(NamedTuple):
    """Whose entry, for which question. It holds an id, so its repr is empty."""

    tenant: str
    connection: str
    question: Question
    customer_id: UUID

    def __repr__(self) -> str:
        return "Key()"


class Envelopes:
    """Seals under, and names by, the rings of the moment. Other rings make other envelopes."""

    __slots__ = ("names", "sealer")

    def __init__(self, rings: KeyRings) -> None:
        self.names = Names(rings.names)
        self.sealer = Sealer(rings.master)

    def close(self, key: Key, entry: Entry[T]) -> tuple[bytes, bytes]:
        """Name and sealed bytes. `ValueError` of what can't be kept, in words of ours."""
        tenant, connection, question, _ = key
        fresh_ms = entry.fresh_until_ms - entry.asked_at_ms
        # Only a known billing or dispute gets here; the codec has them in one union.
        plain = codec.encode(entry.known)  # type: ignore[arg-type]  # (as said above)
        name = self.names.of(*key)
        return name, self.sealer.seal(
            _HEAD.pack(fresh_ms, min(entry.cost_ms, 2**32 - 1), entry.basis) + plain,
            name=name,
            scope=names.scope(tenant, connection, question),
            issued_at_ms=entry.asked_at_ms,
            expires_at_ms=entry.ends_at_ms,
        )

    def open_one(
        self, section: Section[T], name: bytes, value: bytes, *, now_ms: int
    ) -> Entry[T] | Refused:
        """What does not open, or makes no sense, says why."""
        tenant, connection, question, _, _ = section
        return self._open(section, name, value, names.scope(tenant, connection, question), now_ms)

    def open_all(
        self,
        section: Section[T],
        names_of_all: Sequence[bytes],
        values: Sequence[bytes | None],
        *,
        now_ms: int,
    ) -> list[Entry[T] | Refused | None]:
        """Of each value under its name; what does not open, or makes no sense, says why."""
        scope = names.scope(*section[:3])
        return [
            None if value is None else self._open(section, name, value, scope, now_ms)
            for name, value in zip(names_of_all, values, strict=True)
        ]

    def insides(
        self, section: Section[T], names_of_all: Sequence[bytes], values: Sequence[bytes | None]
    ) -> list[bytes | None]:
        """What was sealed, where it opens at once: of that, `INSIDE` is the beginning."""
        return self.sealer.insides(values, names_of_all, names.scope(*section[:3]))

    def _open(
        self, section: Section[T], name: bytes, sealed: bytes, scope: bytes, now_ms: int
    ) -> Entry[T] | Refused:
        inside = self.sealer.inside(sealed, name, scope)
        if isinstance(inside, Refused):
            return inside
        asked_at_ms, ends_at_ms, length, fresh_ms, cost_ms, basis = _unpack(inside)
        if now_ms >= ends_at_ms or asked_at_ms > now_ms or now_ms >= asked_at_ms + LONGEST_MS:
            refused = too_old_or_new(asked_at_ms, ends_at_ms, now_ms)
            if refused is not None:
                return refused
        if length < _HEAD.size:
            return Refused.MALFORMED
        if basis != section.basis:
            return Refused.OTHER_CONFIGURATION
        try:
            known = section.decode(inside[_INSIDE_BYTES : TIMES.size + length])
        except ValueError:
            return Refused.MALFORMED
        fresh_until_ms = asked_at_ms + fresh_ms
        return _entry(Entry, (known, asked_at_ms, fresh_until_ms, ends_at_ms, cost_ms, basis))
