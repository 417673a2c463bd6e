"""Whose id is it? From Pedkai's customer id to the id that the vendor knows.

No vendor knows Pedkai's UUID. A connection says where the vendor's id comes from: Pedkai's own
database (`customers.external_id`), the UUID itself, or a mounted file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from adapters.outcome import Call


@dataclass(frozen=True, slots=True)
class VendorIds:
    """What an identity map knows of the customers asked. All of it is personal data.

    A customer in neither field has no mapping: the map was read, and does not name it.
    """

    known: Mapping[UUID, str] = field(repr=False)
    """The vendor's id of each customer that has one."""
    unavailable: frozenset[UUID] = field(default=frozenset(), repr=False)
    """Customers whose mapping could not be read: `Unavailable(Reason.IDENTITY)`. Those that are
    known go on without them."""


class IdentityMap(Protocol):
    """Vendor ids of the customers of one tenant."""

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        """Never raises `LookupFailed`: what can't be read is in `unavailable`.

        It answers well before the end of the call's budget, so that the customers who are known
        can still be asked of the vendor.
        """
        ...

    def forget(self, customer_id: UUID) -> None:
        """Drop what is remembered of this customer, if anything is."""
        ...


class SameId:
    """The vendor knows Pedkai's own UUID, hyphened and in lower case."""

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds({customer_id: str(customer_id) for customer_id in customer_ids})

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""
