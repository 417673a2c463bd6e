"""Whose id is it? From Pedkai's customer id to the id that the vendor knows.

No vendor knows Pedkai's UUID. A connection says where the vendor's id comes from: Pedkai's own
database (`customers.external_id`), the UUID itself, or a mounted file.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from adapters.call import Call

PATIENCE = 1 / 3
"""Part of what is left of the budget that reading a map may take. The rest is for the vendor,
who can still be asked for the customers who are known."""


def loop_time() -> float:
    """Seconds on the running loop's clock, the one of `Call.deadline`."""
    return asyncio.get_running_loop().time()


def patient(call: Call) -> Call:
    """The call by which a map is read: with `PATIENCE`, of a budget that may yet grow."""
    now = loop_time()
    return call.until(call.budget.part(lambda end: now + max(0.0, end - now) * PATIENCE))


def as_uuid(value: object) -> UUID | None:
    """The UUID that `value` is: itself, or text, hyphened or of 32 digits; else `None`."""
    if isinstance(value, UUID):
        return UUID(int=value.int)  # asyncpg has a class of its own, which prints differently
    if not isinstance(value, str):
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


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
        """Within `PATIENCE`. Never raises `LookupFailed`: what can't be read is `unavailable`."""
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
