"""OpenAPI 3.1 of the data listener, made from the models of the contract."""

import json
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.outcome import Reason
from proxy.http.answers import Disputes
from proxy.http.problems import ProblemType

_UUID = {"type": "string", "format": "uuid"}
_CUSTOMER = {"name": "customer_id", "in": "path", "required": True, "schema": _UUID}
_TENANT = {
    "name": "X-Tenant-ID",
    "in": "header",
    "description": "The tenant asked about. Needed unless a default tenant is configured.",
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{2,99}$"},
}
_TIMEOUT = {
    "name": "X-Request-Timeout-Ms",
    "in": "header",
    "description": "Shortens the time that the answer may take; it can't lengthen it.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
}
_CORRELATION = {
    "name": "X-Correlation-ID",
    "in": "header",
    "description": "Comes back with the answer: its first 128 of `A-Z a-z 0-9 . _ ~ : / + = @ -`, "
    "the others are left out; made if there is none. X-Trace-ID is an alias.",
    "schema": {"type": "string"},
}
_ANSWER_HEADERS = {
    "X-Correlation-ID": {"schema": {"type": "string"}},
    "Cache-Control": {"schema": {"const": "no-store"}},
    "Cache-Status": {"description": "RFC 9211.", "schema": {"type": "string"}},
    "BSS-Degraded": {
        "description": "`<reason>;unavailable=<n>`; absent when nothing is degraded.",
        "schema": {
            "type": "string",
            "pattern": f"^({'|'.join(Reason)});unavailable=[0-9]+$",
        },
    },
    "Server-Timing": {"schema": {"type": "string"}},
}
_REFUSALS = {
    "400": "Malformed, or no tenant named.",
    "401": "The bearer token is absent or wrong.",
    "403": "A foreign host or origin.",
    "404": "No such tenant.",
    "422": "Not valid; `errors` points at what is wrong.",
}
_BODY_REFUSALS = {
    "408": "The body did not arrive in time.",
    "413": "Too many bytes, or too many customer ids: split the batch.",
    "415": "Not `application/json` in UTF-8.",
}
_UNAVAILABLE = "Nobody could be asked; ask again after the time in Retry-After."

_NOT_FORGOTTEN = (
    "The cache that sidecars share could not be told. This sidecar has forgotten; ask again, or "
    "wait until `nothing_left_after`."
)


@lru_cache(maxsize=1)
def text(*, batch_ids: int) -> str:
    """The document as JSON. Making it takes over 100 ms, so the first time belongs in a thread."""
    return json.dumps(document(batch_ids=batch_ids))


def document(*, batch_ids: int) -> dict[str, Any]:
    """`batch_ids`: how many customer ids a batch may hold."""
    customer = "/v1/customers/{customer_id}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bss-sidecar",
            "version": version("bss-sidecar"),
            "description": "Three questions about customers' billing, answered in time.",
        },
        "security": [{}, {"token": []}],
        "paths": {
            f"{customer}/billing-account": {"get": _billing_account()},
            "/v1/revenue-at-risk": {"post": _revenue_at_risk()},
            "/v1/disputes": {"post": _disputes()},
            f"{customer}/cache": {"delete": _forget()},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **_models(),
                "CustomerIds": _customer_ids(batch_ids),
                "Problem": _problem(),
            },
        },
    }


def _billing_account() -> dict[str, Any]:
    return _operation(
        "getBillingAccount",
        "What the billing system knows of one customer.",
        {"200": _ok("BillingAccountInfo"), "503": _refused(_UNAVAILABLE, retry=True)},
        {**_REFUSALS, "404": "No such tenant, or no such customer: see `type`."},
        parameters=[_CUSTOMER, _TENANT, _TIMEOUT, _CORRELATION],
    )


def _revenue_at_risk() -> dict[str, Any]:
    return _operation(
        "getRevenueAtRisk",
        "The monthly fees of these customers, summed. Always 200 for a valid body and a known "
        "tenant; an answer that is not all live says so.",
        {"200": _ok("RevenueResult")},
        {**_REFUSALS, **_BODY_REFUSALS},
        parameters=[_TENANT, _TIMEOUT, _CORRELATION],
        body="CustomerIds",
    )


def _disputes() -> dict[str, Any]:
    return _operation(
        "checkDisputes",
        "Who of these customers disputes a bill.",
        {"200": _ok("Disputes"), "503": _refused(_UNAVAILABLE, retry=True)},
        {**_REFUSALS, **_BODY_REFUSALS},
        parameters=[_TENANT, _TIMEOUT, _CORRELATION],
        body="CustomerIds",
    )


def _forget() -> dict[str, Any]:
    return _operation(
        "forgetCustomer",
        "Forget what is kept and remembered of one customer. It changes state, so it needs "
        "`Content-Type: application/json`, though it has no body.",
        {
            "204": {"description": "Forgotten.", "headers": _ANSWER_HEADERS},
            "503": _refused(_NOT_FORGOTTEN, retry=True),
        },
        {**_REFUSALS, "415": _BODY_REFUSALS["415"]},
        parameters=[_CUSTOMER, _TENANT, _CORRELATION],
    )


def _operation(
    operation_id: str,
    summary: str,
    answers: dict[str, Any],
    refusals: dict[str, str],
    *,
    parameters: list[dict[str, Any]],
    body: str | None = None,
) -> dict[str, Any]:
    refused = {status: _refused(words) for status, words in refusals.items()}
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "summary": summary,
        "parameters": parameters,
        "responses": answers | refused,
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _content(body)}
    return operation


def _ok(model: str) -> dict[str, Any]:
    return {"description": "Answered.", "headers": _ANSWER_HEADERS, "content": _content(model)}


def _refused(words: str, *, retry: bool = False) -> dict[str, Any]:
    headers = dict(_ANSWER_HEADERS)
    if retry:
        seconds = {"type": "integer", "minimum": 1, "maximum": 60}
        headers["Retry-After"] = {"schema": seconds}
    content = _content("Problem", media_type="application/problem+json")
    return {"description": words, "headers": headers, "content": content}


def _content(model: str, *, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{model}"}}}


def _models() -> dict[str, Any]:
    models: tuple[type[BaseModel], ...] = (BillingAccountInfo, RevenueResult, Disputes)
    return {model.__name__: _model(model) for model in models}


def _model(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="serialization")
    # An answer holds every field, those with a default too.
    return {**schema, "required": list(schema["properties"])}


def _customer_ids(most: int) -> dict[str, Any]:
    ids = {"type": "array", "items": _UUID, "maxItems": most}
    return {
        "type": "object",
        "properties": {"customer_ids": ids},
        "required": ["customer_ids"],
        "additionalProperties": False,
    }


def _problem() -> dict[str, Any]:
    error = {
        "type": "object",
        "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
    }
    return {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string", "enum": [kind.uri for kind in ProblemType]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "reason": {"type": "string", "enum": list(Reason)},
            "nothing_left_after": {"type": "string", "format": "date-time"},
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status"],
    }
