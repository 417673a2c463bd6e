"""The layer: what was learned a moment ago is not asked again."""

from __future__ import annotations  # an inner function is made for each question

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from adapters.call import Call
from adapters.lookup import BATCH_BUDGET_S, LookUp, LookupAdapter, rest_of
from adapters.outcome import Billing, Dispute, Learn, Lookup, Missing
from proxy.cache.below import Moment, StandIns, ask_below, keep
from proxy.cache.envelope import Key, Section, billing_section, dispute_section
from proxy.cache.gather import Gathered
from proxy.cache.glance import Glance
from proxy.cache.rules import NO_BASIS, Known, fresh_for_ms, is_due
from proxy.cache.seal import CLOCK_TOLERANCE_MS
from proxy.cache.sorting import Sorted, sort
from proxy.cache.tally import Tally
from proxy.cache.vault import Inquiry, Reading, Vault

T = TypeVar("T")


class Cache(LookupAdapter):
    """Fresh entries answer at once; the layers below are asked for the others.

    What they learn is kept, also when they fail for the rest. A cache that fails has nothing.
    """

    def __init__(
        self,
        inner: LookupAdapter,
        *,
        tenant: str,
        connection: str,
        vault: Vault,
        basis: bytes = NO_BASIS,
        refresh_budget_s: float = BATCH_BUDGET_S,
    ) -> None:
        self.inner = inner
        self.source = inner.source
        self.is_estimate = inner.is_estimate
        self.reporting_currency = inner.reporting_currency
        self.clock = inner.clock
        self._vault = vault
        self._place = (tenant, connection)
        billing = billing_section(*self._place, basis)
        disputes = dispute_section(*self._place, basis)
        self._billing = Keeping(billing, inner.look_up_billing, vault, refresh_budget_s)
        self._disputes = Keeping(disputes, inner.look_up_disputes, vault, refresh_budget_s)

    def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> Coroutine[Any, Any, None]:
        return self._billing.ask(customer_ids, call, learn)

    def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> Coroutine[Any, Any, None]:
        return self._disputes.ask(customer_ids, call, learn)

    async def forget(self, customer_id: UUID) -> None:
        """As `Vault.forget` does. Raises `NotForgotten`."""
        await self._vault.forget(*self._place, customer_id)


class Keeping(Generic[T]):
    """One kind of question at one desk."""

    def __init__(
        self, section: Section[T], look_up: LookUp[T], vault: Vault, refresh_budget_s: float
    ) -> None:
        self._section = section
        self._look_up = look_up
        self._vault = vault
        self._refresh_budget_s = refresh_budget_s

    async def ask(self, customer_ids: Sequence[UUID], call: Call, learn: Learn[T]) -> None:
        moment, section, vault = Moment(call.asked_at), self._section, self._vault
        with vault.inquiry(section) as inquiry:
            names = vault.names(section, customer_ids)
            gathered = await self._gathered(names)
            if len(names) == 1 and not inquiry.forgotten:
                known = self._at_a_glance(customer_ids[0], names[0], gathered, call, moment)
                if known is not None:
                    learn(customer_ids[0], known)
                    return
            elif len(names) == len(customer_ids) and not inquiry.forgotten:
                seen = self._glance(customer_ids, names, gathered, call, moment)
                if seen is not None:
                    rest = self._hand_up(seen, customer_ids, call, moment, learn)
                    if not rest:
                        return
                    customer_ids = [customer_ids[place] for place in rest]
                    names = [names[place] for place in rest]
                    gathered = Gathered([gathered.values[place] for place in rest])
            reading = await self._understood(customer_ids, names, gathered, moment)
            found = self._sort(customer_ids, inquiry, reading, moment, call.tally)
            for customer_id, known in found.fresh:
                learn(customer_id, known)
            if found.due:
                found.tally.refreshes += self._refresh(found.due, call, moment)
            vault.witness.looked(
                section.connection, section.question, found.tally, moment.elapsed_s()
            )
            if found.unknown:
                inquiry.ask_about(found.unknown)
                await self._ask_below(inquiry, found, call, moment, learn)

    async def _gathered(self, names: Sequence[bytes]) -> Gathered:
        try:
            return await self._vault.gathered(names)
        except Exception as error:  # noqa: BLE001  (told to the witness; the cache has nothing)
            self._vault.witness.broke(type(error).__qualname__)
            return Gathered([None] * len(names), "protocol")

    def _at_a_glance(
        self, customer_id: UUID, name: bytes, gathered: Gathered, call: Call, moment: Moment
    ) -> Known[T] | None:
        """Of one customer, the fresh entry that most questions find: what `_sort` comes to of it,
        in a few steps. `None`: it needs the longer way.
        """
        vault, section, tally = self._vault, self._section, call.tally
        try:
            entry = vault.at_a_glance(
                section, customer_id, name, gathered, now_ms=moment.asked_at_ms
            )
        except Exception:  # noqa: BLE001  (it comes again on the longer way, which tells of it)
            return None
        if entry is None or not isinstance(tally, Tally):
            return None
        took_s = moment.elapsed_s()
        now_ms = moment.asked_at_ms + round(took_s * 1000)
        left_ms = fresh_for_ms(entry, now_ms=now_ms, lives=vault.lives)
        age_ms = now_ms - entry.asked_at_ms
        if left_ms <= 0 or age_ms < -CLOCK_TOLERANCE_MS:
            return None
        tally.hit(fresh_for_ms=left_ms, negative=isinstance(entry.known, Missing))
        if left_ms <= age_ms and is_due(entry, now_ms=now_ms, lives=vault.lives, luck=vault.luck()):
            tally.refreshes += self._refresh([customer_id], call, moment)
        vault.witness.looked(section.connection, section.question, tally, took_s)
        return entry.known

    def _glance(
        self,
        customer_ids: Sequence[UUID],
        names: Sequence[bytes],
        gathered: Gathered,
        call: Call,
        moment: Moment,
    ) -> Glance[T] | None:
        """The same of many; `None`: all of them need the longer way."""
        if gathered.bypassed is not None or not isinstance(call.tally, Tally):
            return None
        try:
            return self._vault.glance(
                self._section,
                customer_ids,
                names,
                gathered.values,
                asked_at_ms=moment.asked_at_ms,
                now_ms=moment.now_ms(),
                fees_only=call.fees_only,
            )
        except Exception:  # noqa: BLE001  (as above)
            return None

    def _hand_up(
        self,
        seen: Glance[T],
        customer_ids: Sequence[UUID],
        call: Call,
        moment: Moment,
        learn: Learn[T],
    ) -> Sequence[int]:
        """What was seen. The places of those who need the longer way."""
        tally, section = cast("Tally", call.tally), self._section
        for customer_id, known in zip(customer_ids, seen.known, strict=True):
            if known is not None:
                learn(customer_id, known)
        tally.hits += len(seen.known) - len(seen.rest)
        tally.negative += seen.negative
        tally.fresh_for_ms = seen.fresh_for_ms
        if seen.due:
            due = [customer_ids[place] for place in seen.due]
            tally.refreshes += self._refresh(due, call, moment)
        if not seen.rest:
            took_s = moment.elapsed_s()
            self._vault.witness.looked(section.connection, section.question, tally, took_s)
        return seen.rest

    async def _understood(
        self,
        customer_ids: Sequence[UUID],
        names: Sequence[bytes],
        gathered: Gathered,
        moment: Moment,
    ) -> Reading[T]:
        try:
            return await self._vault.understood(
                self._section, customer_ids, names, gathered, now_ms=moment.asked_at_ms
            )
        except Exception as error:  # noqa: BLE001  (told to the witness; the cache has nothing)
            self._vault.witness.broke(type(error).__qualname__)
            return Reading([None] * len(customer_ids), 0, "protocol")

    def _sort(
        self,
        customer_ids: Sequence[UUID],
        inquiry: Inquiry[T],
        reading: Reading[T],
        moment: Moment,
        tally: object,
    ) -> Sorted[T]:
        entries = reading.entries
        if inquiry.forgotten:
            gone = inquiry.forgotten
            both = zip(customer_ids, entries, strict=True)
            entries = [None if one in gone else entry for one, entry in both]
        found = sort(
            customer_ids,
            entries,
            now_ms=moment.now_ms(),
            lives=self._vault.lives,
            luck=self._vault.luck,
            tally=tally if isinstance(tally, Tally) else Tally(),
        )
        found.tally.unopenable += reading.refused
        if reading.bypassed is not None:
            found.tally.bypassed += len(found.unknown)
        return found

    async def _ask_below(
        self,
        inquiry: Inquiry[T],
        found: Sorted[T],
        call: Call,
        moment: Moment,
        learn: Learn[T],
    ) -> None:
        def hear(customer_id: UUID, lookup: Lookup[T]) -> None:
            learn(customer_id, lookup)
            keep(self._vault, inquiry, customer_id, lookup, moment)

        def stood_in() -> None:
            found.tally.stale += 1
            self._vault.witness.stood_in(self._section.connection, self._section.question)

        stand_ins = StandIns(found.stale, learn, stood_in)
        await ask_below(self._look_up, found.unknown, call, hear, stand_ins)

    def _refresh(self, customer_ids: Sequence[UUID], call: Call, moment: Moment) -> int:
        """Begins it, where it may be. Of how many customers."""
        keys = self._vault.refreshes.admit([self._section.key(one) for one in customer_ids])
        if keys:
            early = Call(
                deadline=asyncio.get_running_loop().time() + self._refresh_budget_s,
                asked_at=moment.now(),
                correlation_id=call.correlation_id,
                tenant=call.tenant,
                is_batch=True,  # whoever waits for an answer comes first
            )
            failed = set(keys)
            task = self._vault.spawn(self._ask_early(keys, failed, early))
            self._vault.refreshes.begin(keys, task, failed)
        return len(keys)

    async def _ask_early(self, keys: Sequence[Key], failed: set[Key], call: Call) -> None:
        moment = Moment(call.asked_at)
        customer_ids = [key.customer_id for key in keys if key in self._vault.refreshes]
        with self._vault.inquiry(self._section) as inquiry:
            inquiry.ask_about(customer_ids)

            def hear(customer_id: UUID, lookup: Lookup[T]) -> None:
                if keep(self._vault, inquiry, customer_id, lookup, moment):
                    failed.discard(self._section.key(customer_id))

            witness = self._vault.witness
            await rest_of(
                self._look_up,
                customer_ids,
                call,
                hear,
                on_error=lambda error: witness.broke(type(error).__qualname__),
            )
        witness.refreshed(len(keys) - len(failed), len(failed))
