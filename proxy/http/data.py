"""The data listener: the questions of the contract."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID

from aiohttp import web

from adapters.bss_adapter import RevenueResult
from adapters.call import Call
from adapters.lookup import distinct
from adapters.outcome import Billing, Dispute, Lookup, Reason
from proxy.cache.tally import Tally
from proxy.cache.vault import NotForgotten
from proxy.http import answers, openapi, requests
from proxy.http.answers import Answer
from proxy.http.correlation import trace_headers
from proxy.http.door import Route, Visit, body
from proxy.http.ports import Clock, Desk, Lease, Runtime
from proxy.http.problems import Problem, ProblemType, not_forgotten, response
from proxy.http.reply import Reply
from proxy.lookup.fail_open import ask, ask_one
from proxy.telemetry.records import Aggregate, Outcome, Question, QuestionRecord
from proxy.telemetry.tracing import Headers, Told, Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Who is told how questions went."""

    asked: Callable[[Question], None]
    """A question of a known tenant has begun."""
    answered: Callable[[QuestionRecord], None]
    """It is over."""
    error: Callable[[Exception], None]
    """Something unforeseen broke on the way."""
    traced: Callable[[Question, Headers], AbstractContextManager[Told]] = Tracing().question
    """Around a question."""


class _Asking:
    """One question while it is under way. Whoever hears how it went and fails, such as an audit
    trail, costs nobody the answer.
    """

    __slots__ = (
        "_around",
        "_desk",
        "_ids",
        "_journal",
        "_question",
        "_told",
        "_visit",
        "outcome",
        "reason",
        "result",
    )

    def __init__(
        self, journal: Journal, question: Question, desk: Desk, visit: Visit, ids: int
    ) -> None:
        self._journal = journal
        self._question = question
        self._desk = desk
        self._visit = visit
        self._ids = ids
        self.outcome = Outcome.FAILED
        self.reason: Reason | None = None
        self.result: RevenueResult | None = None

    def __enter__(self) -> Self:
        self._journal.asked(self._question)
        self._around = self._journal.traced(self._question, trace_headers(self._visit.headers))
        self._told = self._around.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self.outcome = Outcome.CANCELLED
        record = self._record()
        for hear in (self._journal.answered, self._told):
            try:
                hear(record)
            except Exception as failure:  # noqa: BLE001  (told to the journal; see above)
                self._journal.error(failure)
        self._around.__exit__(kind, error, trace)

    def ends(self, answer: Answer) -> Reply | web.Response:
        self.outcome, self.reason, self.result = answer.outcome, answer.reason, answer.result
        return _as_reply(answer)

    def _record(self) -> QuestionRecord:
        return QuestionRecord(
            question=self._question,
            correlation_id=self._visit.correlation_id,
            tenant=self._desk.tenant,
            connection=self._desk.connection,
            ids=self._ids,
            outcome=self.outcome,
            reason=self.reason,
            duration_s=asyncio.get_running_loop().time() - self._visit.arrived,
            aggregate=self._aggregate(),
        )

    def _aggregate(self) -> Aggregate | None:
        if self.result is None:
            return None
        return Aggregate(
            total_revenue_at_risk=self.result.total_revenue_at_risk,
            priced_customer_count=self.result.priced_customer_count,
            currency=self._desk.adapter.reporting_currency,
        )


class _Batch(NamedTuple):
    """A question about several customers, as it was read. It has their ids: its repr is empty."""

    call: Call
    tally: Tally
    desk: Desk
    asked: list[UUID]
    """Each customer once, in the order asked."""
    ids: int
    """Duplicates included."""

    def __repr__(self) -> str:
        return "_Batch()"


class DataRoutes:
    """What the data listener answers, with the runtime of the moment."""

    def __init__(self, lease: Lease, clock: Clock, journal: Journal) -> None:
        self._lease = lease
        self._clock = clock
        self._journal = journal
        self._ask = partial(ask, on_error=journal.error)

    def routes(self) -> Sequence[Route]:
        customer = "/v1/customers/{customer_id}"
        return (
            Route("GET", f"{customer}/billing-account", self.billing_account),
            Route("POST", "/v1/revenue-at-risk", self.revenue_at_risk),
            Route("POST", "/v1/disputes", self.disputes),
            Route("DELETE", f"{customer}/cache", self.forget),
            Route("GET", "/openapi.json", self.openapi),
        )

    async def billing_account(self, visit: Visit) -> Reply | web.Response:
        with self._lease() as runtime:
            deadline = _deadline(visit, runtime.single_budget_s)
            desk = _desk(visit, runtime)
            customer_id = requests.customer_id(visit.params["customer_id"])
            call, tally = self._call(visit, desk, deadline)
            with self._recorded(Question.BILLING_ACCOUNT, desk, visit, ids=1) as asking:
                lookup: Lookup[Billing] = await ask_one(
                    desk.adapter.look_up_billing,
                    customer_id,
                    call,
                    on_error=self._journal.error,
                )
                return asking.ends(
                    answers.billing_account(
                        customer_id,
                        lookup,
                        reporting_currency=desk.adapter.reporting_currency,
                        tally=tally,
                    )
                )

    async def revenue_at_risk(self, visit: Visit) -> Reply | web.Response:
        with self._lease() as runtime:
            call, tally, desk, asked, ids = await self._batch(visit, runtime, fees_only=True)
            with self._recorded(Question.REVENUE_AT_RISK, desk, visit, ids=ids) as asking:
                return asking.ends(await self._revenue(desk, asked, call, tally))

    async def disputes(self, visit: Visit) -> Reply | web.Response:
        with self._lease() as runtime:
            call, tally, desk, asked, ids = await self._batch(visit, runtime)
            with self._recorded(Question.DISPUTES, desk, visit, ids=ids) as asking:
                lookups: dict[UUID, Lookup[Dispute]] = await self._ask(
                    desk.adapter.look_up_disputes, asked, call
                )
                return asking.ends(answers.disputes(lookups, tally))

    async def forget(self, visit: Visit) -> web.Response:
        """What this process knows is gone in any case; a shared store may fail to forget."""
        with self._lease() as runtime:
            desk = _desk(visit, runtime)
            customer_id = requests.customer_id(visit.params["customer_id"])
            with self._recorded(Question.FORGET, desk, visit, ids=1) as asking:
                try:
                    await desk.forget(customer_id)
                except NotForgotten as failure:
                    asking.outcome = Outcome.DEGRADED
                    return response(not_forgotten(self._clock(), failure.gone_after_s))
                asking.outcome = Outcome.ANSWERED
                return web.Response(status=HTTPStatus.NO_CONTENT)

    async def openapi(self, visit: Visit) -> web.Response:
        with self._lease() as runtime:
            text = await asyncio.to_thread(openapi.text, batch_ids=runtime.batch_ids)
        return web.Response(text=text, content_type="application/json")

    async def _batch(self, visit: Visit, runtime: Runtime, *, fees_only: bool = False) -> _Batch:
        """Headers are judged before the body is read."""
        deadline = _deadline(visit, runtime.batch_budget_s)
        desk = _desk(visit, runtime)
        content = await body(visit, most=runtime.body_bytes, within_s=runtime.batch_budget_s)
        ids = requests.customer_ids(content, most=runtime.batch_ids)
        asked = distinct(ids)
        made = self._call(visit, desk, deadline, is_batch=len(asked) > 1, fees_only=fees_only)
        return _Batch(*made, desk, asked, len(ids))

    async def _revenue(self, desk: Desk, asked: list[UUID], call: Call, tally: Tally) -> Answer:
        """Whatever breaks, a valid question is answered with a valid result."""
        try:
            lookups: dict[UUID, Lookup[Billing]] = await self._ask(
                desk.adapter.look_up_billing, asked, call
            )
            return answers.revenue_at_risk(list(lookups.values()), desk.adapter, tally)
        except Exception as error:  # noqa: BLE001  (told to the journal; the pod gets its answer)
            self._journal.error(error)
            return answers.nobody_could_say(
                len(asked), desk.adapter.source, Reason.VENDOR_ERROR, tally
            )

    def _call(
        self,
        visit: Visit,
        desk: Desk,
        deadline: float,
        *,
        is_batch: bool = False,
        fees_only: bool = False,
    ) -> tuple[Call, Tally]:
        """And where the cache notes what it did for it."""
        tally = Tally()
        trace = trace_headers(visit.headers)
        call = Call(
            deadline=deadline,
            asked_at=self._clock(),
            correlation_id=visit.correlation_id,
            traceparent=trace.get("traceparent"),
            tracestate=trace.get("tracestate"),
            tenant=desk.tenant,
            is_batch=is_batch,
            fees_only=fees_only,
            tally=tally,
        )
        return call, tally

    def _recorded(self, question: Question, desk: Desk, visit: Visit, *, ids: int) -> _Asking:
        return _Asking(self._journal, question, desk, visit, ids)


def _deadline(visit: Visit, longest_s: float) -> float:
    return visit.arrived + requests.budget_s(visit.headers, longest_s)


def _desk(visit: Visit, runtime: Runtime) -> Desk:
    tenant = requests.tenant(visit.headers, runtime.default_tenant)
    desk = runtime.desk(tenant)
    if desk is None:
        raise Problem(ProblemType.UNKNOWN_TENANT)
    return desk


def _as_reply(answer: Answer) -> Reply | web.Response:
    if not isinstance(answer.body, Problem):
        return Reply(answer.body, answer.headers)
    made = response(answer.body)
    made.headers.update(answer.headers)
    return made
