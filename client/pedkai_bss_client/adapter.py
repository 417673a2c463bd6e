"""Pedkai's `BSSAdapter` over the sidecar of the pod."""

import asyncio
import math
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pedkai_bss_client import merging, question, reading
from pedkai_bss_client.address import DEFAULT_URL, address
from pedkai_bss_client.answer import Answer, Disputes
from pedkai_bss_client.asking import Asker, Asking, Kind
from pedkai_bss_client.context import context
from pedkai_bss_client.contract import BillingAccountInfo, BSSAdapter, RevenueResult
from pedkai_bss_client.failure import CLIENT_ERROR, BSSUnavailable, Failure
from pedkai_bss_client.merging import Part
from pedkai_bss_client.reading import Reply
from pedkai_bss_client.telling import tell
from pedkai_bss_client.token_file import TokenFile

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


def _read_account(reply: Reply, ids: Sequence[UUID]) -> BillingAccountInfo | Failure | None:
    return reading.billing_account(reply, ids[0])


def _read_revenue(reply: Reply, ids: Sequence[UUID]) -> RevenueResult | Failure:
    return reading.revenue_at_risk(reply, len(ids))


_ACCOUNT: Kind[BillingAccountInfo | None] = Kind(
    "billing account", lambda ids: question.billing_account(ids[0]), _read_account
)
_REVENUE = Kind("revenue at risk", question.revenue_at_risk, _read_revenue)
_DISPUTES = Kind("disputes", question.disputes, reading.disputes)


class SidecarBSSAdapter(BSSAdapter):
    """Asks the sidecar. May be shared by tasks, event loops and threads, and made at any time.

    The three methods are those of the contract. Each has a twin, `ask_…`, that gives an `Answer`:
    the same value, why it is degraded, and under which correlation id it was asked.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        tenant: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        timeout: float = 2.0,
        degrade: bool = False,
    ) -> None:
        """Opens no connection yet.

        `base_url`: `http://host:port` or `unix:/path`; else `BSS_SIDECAR_URL`, else
        http://127.0.0.1:8650. `tenant`: in whose name every question is asked; unless given, that
        of `current_tenant`. `token_file`: else `BSS_SIDECAR_TOKEN_FILE`, else no token is sent.
        `timeout`: seconds, for one question with all its parts. `degrade`: `get_billing_account`
        gives `None` and `check_disputes` an empty list where they would raise `BSSUnavailable`.

        Raises `ValueError` for a URL or a timeout that can't be one.
        """
        if not (math.isfinite(timeout) and timeout > 0):
            raise ValueError("timeout is a number of seconds above 0")
        env = os.environ  # noqa: TID251  (the pod says by it where its sidecar is)
        where = address(base_url or env.get("BSS_SIDECAR_URL") or DEFAULT_URL)
        token = token_file or env.get("BSS_SIDECAR_TOKEN_FILE") or None
        # Here and not above: whoever imports this package need not pay for httpx, and whoever asks
        # the first question need not wait for it.
        from pedkai_bss_client.wire import HttpxWire  # noqa: PLC0415  (see above)

        self._tenant = tenant
        self._timeout_s = float(timeout)
        self._degrade = degrade
        self._asker = Asker(HttpxWire(where), TokenFile(Path(token)) if token else None)

    async def get_billing_account(
        self, customer_id: UUID, *, tenant: str | None = None, correlation_id: str | None = None
    ) -> BillingAccountInfo | None:
        """The customer's account; `None` when the billing system says there is no such customer.

        Raises `BSSUnavailable` when nobody could say, unless `degrade`.
        """
        answer = await self.ask_billing_account(
            customer_id, tenant=tenant, correlation_id=correlation_id
        )
        return answer.value

    async def get_revenue_at_risk(
        self,
        customer_ids: list[UUID],
        *,
        tenant: str | None = None,
        correlation_id: str | None = None,
    ) -> RevenueResult:
        """The sum of what these customers pay a month.

        Never raises, and is there within the timeout: who could not be asked about by then is
        unpriced. When that is everybody, it is the contract's degraded result, with
        `source="unavailable"`.
        """
        answer = await self.ask_revenue_at_risk(
            customer_ids, tenant=tenant, correlation_id=correlation_id
        )
        return answer.value

    async def check_disputes(
        self,
        customer_ids: list[UUID],
        *,
        tenant: str | None = None,
        correlation_id: str | None = None,
    ) -> list[UUID]:
        """Who of these customers has an active billing dispute, in the order asked.

        Raises `BSSUnavailable` when none of them could be asked about, unless `degrade`. When some
        of them could not, `ask_disputes` says who.
        """
        answer = await self.ask_disputes(customer_ids, tenant=tenant, correlation_id=correlation_id)
        return answer.value.customer_ids

    async def ask_billing_account(
        self, customer_id: UUID, *, tenant: str | None = None, correlation_id: str | None = None
    ) -> Answer[BillingAccountInfo | None]:
        """`get_billing_account`, with its degradation."""
        asking = self._asking(tenant, correlation_id)
        ids, invalid = question.distinct([customer_id])
        parts = [] if invalid else await self._asker.parts(asking, ids, _ACCOUNT)
        answer = _answer(asking, _ACCOUNT, None, parts, invalid=invalid)
        outcome = parts[0].outcome if parts else merging.failure(parts)
        if isinstance(outcome, Failure):
            return self._unanswered(outcome, answer)
        return Answer(outcome, answer.degraded, answer.correlation_id)

    async def ask_revenue_at_risk(
        self,
        customer_ids: list[UUID],
        *,
        tenant: str | None = None,
        correlation_id: str | None = None,
    ) -> Answer[RevenueResult]:
        """`get_revenue_at_risk`, with its degradation. Never raises either."""
        asking = self._asking(tenant, correlation_id)
        ids, invalid = question.distinct(customer_ids)
        parts: list[Part[RevenueResult]] = []
        try:
            # Of nobody at all the sidecar is asked as well: it knows what the source is.
            if ids or not invalid:
                parts = await self._asker.parts(asking, ids, _REVENUE)
            result = merging.revenue(parts, invalid=invalid)
        except Exception as error:  # noqa: BLE001  (an incident waits for this; it is logged)
            parts = [Part(ids, Failure(CLIENT_ERROR, detail=type(error).__name__))]
            result = merging.revenue(parts, invalid=invalid)
        return _answer(asking, _REVENUE, result, parts, invalid=invalid)

    async def ask_disputes(
        self,
        customer_ids: list[UUID],
        *,
        tenant: str | None = None,
        correlation_id: str | None = None,
    ) -> Answer[Disputes]:
        """`check_disputes`, with its degradation and with those who could not be asked about."""
        asking = self._asking(tenant, correlation_id)
        ids, invalid = question.distinct(customer_ids)
        parts = await self._asker.parts(asking, ids, _DISPUTES) if ids else []
        outcome = merging.disputes(parts) if ids or invalid else Disputes([], [])
        if isinstance(outcome, Failure):
            unasked = Disputes([], list(ids))
            answer = _answer(asking, _DISPUTES, unasked, parts, invalid=invalid)
            return self._unanswered(outcome, answer)
        return _answer(asking, _DISPUTES, outcome, parts, invalid=invalid)

    async def aclose(self) -> None:
        """Closes the connections of this event loop; the next question opens new ones.

        Whoever forgets it loses nothing: connections end with their event loop.
        """
        await self._asker.aclose()

    async def __aenter__(self) -> "Self":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _asking(self, tenant: str | None, correlation_id: str | None) -> Asking:
        return Asking(
            context=context(tenant, self._tenant, correlation_id),
            timeout_s=self._timeout_s,
            deadline=asyncio.get_running_loop().time() + self._timeout_s,
        )

    def _unanswered(self, failure: Failure, instead: Answer[T]) -> Answer[T]:
        if self._degrade:
            return instead
        raise BSSUnavailable(failure.reason, failure.retry_after)


def _answer(
    asking: Asking, kind: Kind[T], value: T, parts: Sequence[Part[T]], *, invalid: int
) -> Answer[T]:
    degraded = merging.degraded(parts, invalid=invalid)
    tell(kind.name, parts, degraded, asking.context.correlation_id)
    return Answer(value, degraded, asking.context.correlation_id)
