"""Every error as `application/problem+json` (RFC 9457). Nothing else makes a response from one.

A problem's words are ours. It never repeats what was sent or what a vendor said: ids and names of
fields in a request may be personal data. A caller tells problems apart by `type`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from aiohttp import web

from adapters.outcome import Reason
from proxy.lookup.degradation import Degradation

FORGET_AGAIN_S = "2"
"""A store that fails is back, or is left alone, for about as long."""


class ProblemType(StrEnum):
    """What can be wrong with a request or its answer. Part of the interface."""

    MALFORMED = "malformed"
    TENANT_NEEDED = "tenant-needed"
    UNAUTHORIZED = "unauthorized"
    FOREIGN = "foreign"
    UNKNOWN_ROUTE = "unknown-route"
    UNKNOWN_TENANT = "unknown-tenant"
    UNKNOWN_CUSTOMER = "unknown-customer"
    UNKNOWN_CONNECTION = "unknown-connection"
    UNKNOWN_BREAKER = "unknown-breaker"
    METHOD = "method"
    SLOW_REQUEST = "slow-request"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "media-type"
    EXPECTATION = "expectation"
    INVALID = "invalid"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    NOT_FORGOTTEN = "not-forgotten"

    @property
    def uri(self) -> str:
        return f"urn:bss-sidecar:problem:{self.value}"


_KINDS: Mapping[ProblemType, tuple[HTTPStatus, str]] = {
    ProblemType.MALFORMED: (HTTPStatus.BAD_REQUEST, "The request is malformed"),
    ProblemType.TENANT_NEEDED: (HTTPStatus.BAD_REQUEST, "The request names no tenant"),
    ProblemType.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "The bearer token is absent or wrong"),
    ProblemType.FOREIGN: (HTTPStatus.FORBIDDEN, "The request comes from elsewhere"),
    ProblemType.UNKNOWN_ROUTE: (HTTPStatus.NOT_FOUND, "This listener has no such route"),
    ProblemType.UNKNOWN_TENANT: (HTTPStatus.NOT_FOUND, "There is no such tenant"),
    ProblemType.UNKNOWN_CUSTOMER: (HTTPStatus.NOT_FOUND, "There is no such customer"),
    ProblemType.UNKNOWN_CONNECTION: (HTTPStatus.NOT_FOUND, "There is no such connection"),
    ProblemType.UNKNOWN_BREAKER: (HTTPStatus.NOT_FOUND, "The connection has no such breaker"),
    ProblemType.METHOD: (HTTPStatus.METHOD_NOT_ALLOWED, "This route knows other methods"),
    ProblemType.SLOW_REQUEST: (HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time"),
    ProblemType.TOO_LARGE: (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The request is larger than accepted",
    ),
    ProblemType.MEDIA_TYPE: (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The content is not of a known type",
    ),
    ProblemType.EXPECTATION: (HTTPStatus.EXPECTATION_FAILED, "The expectation can't be met"),
    ProblemType.INVALID: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    ProblemType.INTERNAL: (HTTPStatus.INTERNAL_SERVER_ERROR, "The sidecar made a mistake"),
    ProblemType.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "Nobody could be asked"),
    ProblemType.NOT_FORGOTTEN: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The shared cache could not be told to forget",
    ),
}


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818  (RFC 9457's own word)
    """One error of a request, as it is told to the caller.

    Not frozen: an exception collects its traceback on the way.
    """

    type: ProblemType
    detail: str = ""
    pointer: str | None = None
    """RFC 6901 pointer to the wrong part of the body. Never holds a name that was sent."""
    reason: Reason | None = None
    nothing_left_after: datetime | None = None
    """When nothing of the customer can be left, whatever happens."""
    headers: Mapping[str, str] = field(default_factory=dict)
    closes: bool = False
    """The connection can't be used again: where its next request begins is not known."""

    @property
    def status(self) -> int:
        return int(_KINDS[self.type][0])

    @property
    def title(self) -> str:
        return _KINDS[self.type][1]

    @property
    def is_refusal(self) -> bool:
        """The request was not let through; the other problems are answers to a question."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR and (
            self.type is not ProblemType.UNKNOWN_CUSTOMER
        )


def malformed(detail: str) -> Problem:
    return Problem(ProblemType.MALFORMED, detail)


def invalid(detail: str, *, pointer: str | None = None) -> Problem:
    return Problem(ProblemType.INVALID, detail, pointer=pointer)


def unavailable(lacks: Degradation) -> Problem:
    """Nobody could say, why, and when to ask again."""
    return Problem(
        ProblemType.UNAVAILABLE,
        "ask again after the time in Retry-After",
        reason=lacks.reason,
        headers={"Retry-After": str(lacks.retry_after_s)},
    )


def not_forgotten(now: datetime, gone_after_s: float) -> Problem:
    """This process has forgotten, and the store that is shared may not have."""
    return Problem(
        ProblemType.NOT_FORGOTTEN,
        "this sidecar has forgotten the customer; ask again for the others, or wait until "
        "nothing_left_after",
        nothing_left_after=now + timedelta(seconds=gone_after_s),
        headers={"Retry-After": FORGET_AGAIN_S},
    )


def as_problem(error: Exception) -> Problem:
    """What the caller is told of any error. An error that is not foreseen tells nothing."""
    if isinstance(error, Problem):
        return error
    return Problem(ProblemType.INTERNAL)


def response(problem: Problem) -> web.Response:
    body: dict[str, object] = {
        "type": problem.type.uri,
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.pointer is not None:
        # As in RFC 9457, section 3: a pointer is written as a fragment.
        body["errors"] = [{"pointer": f"#{problem.pointer}", "detail": problem.detail}]
    if problem.reason is not None:
        body["reason"] = problem.reason
    if problem.nothing_left_after is not None:
        body["nothing_left_after"] = problem.nothing_left_after.isoformat(timespec="seconds")
    answer = web.Response(
        status=problem.status,
        body=json.dumps(body).encode(),
        content_type="application/problem+json",
        headers=dict(problem.headers),
    )
    if problem.closes:
        answer.force_close()
    return answer
