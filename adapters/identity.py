"""Whose id is it? From Pedkai's customer id to the id that the vendor knows.

No vendor knows Pedkai's UUID. A connection says where the vendor's id comes from: Pedkai's own
database (`customers.external_id`), the UUID itself, or a mounted file.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from adapters.outcome import Call


class IdentityMap(Protocol):
    """Vendor ids of the customers of one tenant."""

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> Mapping[UUID, str]:
        """The vendor's id of each customer that has one; the others have no mapping.

        Raises `LookupFailed` with reason `identity` when the mapping can't be read, at the latest
        at the end of the call's budget.
        """
        ...

    def forget(self, customer_id: UUID) -> None:
        """Drop what is remembered of this customer, if anything is."""
        ...
