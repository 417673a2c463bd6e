"""The data listener: the questions of the contract."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from aiohttp import web

from adapters.bss_adapter import RevenueResult
from adapters.call import Call
from adapters.outcome import Billing, Dispute, Lookup, Reason
from proxy.cache.tally import Tally
from proxy.cache.vault import NotForgotten
from proxy.http import answers, openapi, requests
from proxy.http.answers import Answer
from proxy.http.correlation import trace_headers
from proxy.http.door import Route, Visit, body
from proxy.http.ports import Clock, Desk, Lease, Runtime
from proxy.http.problems import Problem, ProblemType, not_forgotten, response
from proxy.lookup.fail_open import ask
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


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One question while it is under way."""

    question: Question
    desk: Desk
    visit: Visit
    ids: int
    outcome: Outcome = Outcome.FAILED
    reason: Reason | None = None
    result: RevenueResult | None = field(default=None, repr=False)

    def ends(self, answer: Answer) -> web.Response:
        self.outcome, self.reason, self.result = answer.outcome, answer.reason, answer.result
        return _as_response(answer)


class DataRoutes:
    """What the data listener answers, with the runtime of the moment."""

    def __init__(self, lease: Lease, clock: Clock, journal: Journal) -> None:
        self._lease = lease
        self._clock = clock
        self._journal = journal

    def routes(self) -> Sequence[Route]:
        customer = "/v1/customers/{customer_id}"
        return (
            Route("GET", f"{customer}/billing-account", self.billing_account),
            Route("POST", "/v1/revenue-at-risk", self.revenue_at_risk),
            Route("POST", "/v1/disputes", self.disputes),
            Route("DELETE", f"{customer}/cache", self.forget),
            Route("GET", "/openapi.json", self.openapi),
        )

    async def billing_account(self, visit: Visit) -> web.Response:
        with self._lease() as runtime:
            deadline = _deadline(visit, runtime.single_budget_s)
            desk = _desk(visit, runtime)
            customer_id = requests.customer_id(visit.params["customer_id"])
            call, tally = self._call(visit, desk, deadline)
            with self._recorded(Question.BILLING_ACCOUNT, desk, visit, ids=1) as asking:
                lookups = await ask(desk.adapter.look_up_billing, [customer_id], call)
                return asking.ends(
                    answers.billing_account(
                        customer_id,
                        lookups[customer_id],
                        reporting_currency=desk.adapter.reporting_currency,
                        tally=tally,
                    )
                )

    async def revenue_at_risk(self, visit: Visit) -> web.Response:
        with self._lease() as runtime:
            call, tally, desk, ids = await self._batch(visit, runtime)
            with self._recorded(Question.REVENUE_AT_RISK, desk, visit, ids=len(ids)) as asking:
                return asking.ends(await self._revenue(desk, ids, call, tally))

    async def disputes(self, visit: Visit) -> web.Response:
        with self._lease() as runtime:
            call, tally, desk, ids = await self._batch(visit, runtime)
            with self._recorded(Question.DISPUTES, desk, visit, ids=len(ids)) as asking:
                lookups: dict[UUID, Lookup[Dispute]] = await ask(
                    desk.adapter.look_up_disputes, ids, call
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

    async def _batch(self, visit: Visit, runtime: Runtime) -> tuple[Call, Tally, Desk, list[UUID]]:
        """Headers are judged before the body is read."""
        deadline = _deadline(visit, runtime.batch_budget_s)
        desk = _desk(visit, runtime)
        content = await body(visit, most=runtime.body_bytes, within_s=runtime.batch_budget_s)
        ids = requests.customer_ids(content, most=runtime.batch_ids)
        return *self._call(visit, desk, deadline, customers=len(set(ids))), desk, ids

    async def _revenue(self, desk: Desk, ids: list[UUID], call: Call, tally: Tally) -> Answer:
        """Whatever breaks, a valid question is answered with a valid result."""
        try:
            lookups: dict[UUID, Lookup[Billing]] = await ask(
                desk.adapter.look_up_billing, ids, call
            )
            return answers.revenue_at_risk(list(lookups.values()), desk.adapter, tally)
        except Exception as error:  # noqa: BLE001  (told to the journal; the pod gets its answer)
            self._journal.error(error)
            return answers.nobody_could_say(
                len(set(ids)), desk.adapter.source, Reason.VENDOR_ERROR, tally
            )

    def _call(
        self, visit: Visit, desk: Desk, deadline: float, *, customers: int = 1
    ) -> tuple[Call, Tally]:
        """And where the cache notes what it did for it."""
        tally = Tally()
        trace = trace_headers(visit.request.headers)
        call = Call(
            deadline=deadline,
            asked_at=self._clock(),
            correlation_id=visit.correlation_id,
            traceparent=trace.get("traceparent"),
            tracestate=trace.get("tracestate"),
            tenant=desk.tenant,
            is_batch=customers > 1,
            tally=tally,
        )
        return call, tally

    @contextmanager
    def _recorded(
        self, question: Question, desk: Desk, visit: Visit, *, ids: int
    ) -> Iterator[_Asking]:
        asking = _Asking(question=question, desk=desk, visit=visit, ids=ids)
        self._journal.asked(question)
        with self._journal.traced(question, trace_headers(visit.request.headers)) as told:
            try:
                yield asking
            except asyncio.CancelledError:
                asking.outcome = Outcome.CANCELLED
                raise
            finally:
                self._tell(_record(asking), told)

    def _tell(self, record: QuestionRecord, told: Told) -> None:
        """Whoever hears of it and fails, such as an audit trail, costs nobody the answer."""
        for hear in (self._journal.answered, told):
            try:
                hear(record)
            except Exception as error:  # noqa: BLE001  (told to the journal; see above)
                self._journal.error(error)


def _deadline(visit: Visit, longest_s: float) -> float:
    return visit.arrived + requests.budget_s(visit.request.headers, longest_s)


def _desk(visit: Visit, runtime: Runtime) -> Desk:
    tenant = requests.tenant(visit.request.headers, runtime.default_tenant)
    desk = runtime.desk(tenant)
    if desk is None:
        raise Problem(ProblemType.UNKNOWN_TENANT)
    return desk


def _record(asking: _Asking) -> QuestionRecord:
    return QuestionRecord(
        question=asking.question,
        correlation_id=asking.visit.correlation_id,
        tenant=asking.desk.tenant,
        connection=asking.desk.connection,
        ids=asking.ids,
        outcome=asking.outcome,
        reason=asking.reason,
        duration_s=asyncio.get_running_loop().time() - asking.visit.arrived,
        aggregate=_aggregate(asking),
    )


def _aggregate(asking: _Asking) -> Aggregate | None:
    if asking.result is None:
        return None
    return Aggregate(
        total_revenue_at_risk=asking.result.total_revenue_at_risk,
        priced_customer_count=asking.result.priced_customer_count,
        currency=asking.desk.adapter.reporting_currency,
    )


def _as_response(answer: Answer) -> web.Response:
    if isinstance(answer.body, Problem):
        made = response(answer.body)
    else:
        made = web.Response(body=answer.body, content_type="application/json")
    made.headers.update(answer.headers)
    return made
