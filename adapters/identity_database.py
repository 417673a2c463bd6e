"""Vendor ids from Pedkai's own database: `customers.external_id`, of one tenant.

A mapping that was read is remembered for a while, so that the vendor can still be asked when
Pedkai's database can't. That a customer has no mapping is not remembered: it may get one any
moment, and a wrong "unknown" would last.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from adapters.call import Call
from adapters.identity import VendorIds, as_uuid, loop_time, patient
from adapters.outcome import LookupFailed
from adapters.pedkai_schema import asked, customers, is_asked
from adapters.reader import Reader, Selection


class Remembered:
    """Mappings with an end, at most `capacity` of them; the longest unused goes first."""

    def __init__(self, remember_s: float, capacity: int) -> None:
        self._remember_s = remember_s
        self._capacity = capacity
        self._mappings: OrderedDict[UUID, tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mappings)

    def of(self, customer_ids: Iterable[UUID], now: float) -> dict[UUID, str]:
        """Those of the customers who are remembered at `now`, in seconds of any steady clock."""
        found = {}
        for customer_id in customer_ids:
            vendor_id, ends_at = self._mappings.get(customer_id, ("", now))
            if ends_at > now:
                self._mappings.move_to_end(customer_id)
                found[customer_id] = vendor_id
            else:
                self.forget(customer_id)
        return found

    def keep(self, mappings: Mapping[UUID, str], now: float) -> None:
        for customer_id, vendor_id in mappings.items():
            self._mappings[customer_id] = (vendor_id, now + self._remember_s)
            self._mappings.move_to_end(customer_id)
        while len(self._mappings) > self._capacity:
            self._mappings.popitem(last=False)

    def forget(self, customer_id: UUID) -> None:
        self._mappings.pop(customer_id, None)


class PedkaiDatabaseIdentity:
    """Reads the customers of `tenant`, those of one question in one SELECT."""

    def __init__(
        self,
        reader: Reader,
        tenant: str,
        *,
        remember_s: float = 300.0,
        capacity: int = 100_000,
        clock: Callable[[], float] = loop_time,
    ) -> None:
        self._tenant = tenant
        self._remembered = Remembered(remember_s, capacity)
        self._clock = clock
        self._reads: list[set[UUID]] = []
        self.problem: LookupFailed | None = None
        """Why the last read failed; `None` after one that did not."""
        self.read_by(reader)

    def read_by(self, reader: Reader) -> None:
        """From the next read on. It leads to the same database, so what is remembered stays."""
        self._reader = reader
        columns = select(customers.c.id, customers.c.external_id)
        self._statement = columns.where(is_asked(reader.dialect))

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        known = self._remembered.of(customer_ids, self._clock())
        unknown = set(customer_ids) - known.keys()
        if not unknown:
            return VendorIds(known)
        try:
            known |= await self._read(unknown, call)
        except LookupFailed as failure:
            self.problem = failure
            return VendorIds(known, frozenset(unknown))
        self.problem = None
        return VendorIds(known)

    def forget(self, customer_id: UUID) -> None:
        self._remembered.forget(customer_id)
        for read in self._reads:
            read.discard(customer_id)

    async def _read(self, customer_ids: Collection[UUID], call: Call) -> dict[UUID, str]:
        to_remember = set(customer_ids)  # `forget` takes out of it, while the read is on its way
        self._reads.append(to_remember)
        try:
            parameters = asked(customer_ids, self._tenant, self._reader.dialect)
            rows = await self._reader.read(Selection(self._statement, parameters), patient(call))
        finally:
            self._reads.remove(to_remember)
        read = {
            customer_id: vendor_id
            for customer_id, vendor_id in ((as_uuid(row[0]), row[1]) for row in rows)
            if customer_id is not None and isinstance(vendor_id, str) and vendor_id.strip()
        }
        still_wanted = {one: vendor_id for one, vendor_id in read.items() if one in to_remember}
        self._remembered.keep(still_wanted, self._clock())
        return read
