"""The description of the data listener, held to what it really answers."""

import json
import re
from uuid import UUID

import pytest

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.outcome import Missing, Reason, Unavailable
from proxy.http import openapi
from proxy.http.openapi import document
from tests.unit.http.doubles import Client, Sidecar, found

A = UUID(int=1)


async def test_the_document_is_served_and_knows_the_limit_of_a_batch(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.runtime.batch_ids = 7
    async with data.ask("GET", "/openapi.json") as answer:
        served = await answer.json()
        assert answer.content_type == "application/json"
    assert served["openapi"].startswith("3.1.")
    assert served == json.loads(json.dumps(document(batch_ids=7)))
    assert (
        served["components"]["schemas"]["CustomerIds"]["properties"]["customer_ids"]["maxItems"]
        == 7
    )


def test_the_text_is_made_once_for_each_limit() -> None:
    assert openapi.text(batch_ids=8) is openapi.text(batch_ids=8)
    assert openapi.text(batch_ids=9) != openapi.text(batch_ids=8)


def test_the_models_are_the_contracts() -> None:
    schemas = document(batch_ids=200)["components"]["schemas"]
    for model in (BillingAccountInfo, RevenueResult):
        assert set(schemas[model.__name__]["properties"]) == set(model.model_fields)
        assert set(schemas[model.__name__]["required"]) == set(model.model_fields)
    assert schemas["Problem"]["properties"]["reason"]["enum"] == list(Reason)


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document(batch_ids=200))
    schemas = document(batch_ids=200)["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named == set(schemas)


@pytest.mark.parametrize(
    ("method", "template", "headers", "body", "status"),
    [
        ("get", "/v1/customers/{customer_id}/billing-account", {}, None, 200),
        ("get", "/v1/customers/{customer_id}/billing-account", {"X-Tenant-ID": "x"}, None, 404),
        ("get", "/v1/customers/{customer_id}/billing-account", {"Host": "x"}, None, 403),
        ("post", "/v1/revenue-at-risk", {}, {"customer_ids": [str(A)]}, 200),
        ("post", "/v1/revenue-at-risk", {}, {}, 422),
        ("post", "/v1/revenue-at-risk", {}, {"customer_ids": [""] * 201}, 413),
        ("post", "/v1/disputes", {}, {"customer_ids": [str(A)]}, 503),
        ("delete", "/v1/customers/{customer_id}/cache", {}, {}, 204),
        ("delete", "/v1/customers/{customer_id}/cache", {}, None, 415),
    ],
)
async def test_what_is_answered_is_described(  # noqa: PLR0917
    data: Client,
    sidecar: Sidecar,
    method: str,
    template: str,
    headers: dict[str, str],
    body: object,
    status: int,
) -> None:
    sidecar.adapter.billing = {A: found("1")}
    sidecar.adapter.disputes = {A: Unavailable(Reason.TLS)}
    described = document(batch_ids=200)["paths"][template][method]["responses"][str(status)]
    path = template.replace("{customer_id}", str(A))
    async with data.ask(method.upper(), path, headers=headers, json=body) as answer:
        assert answer.status == status
        content = described.get("content")
        assert content is None or answer.content_type in content
        for name in ("BSS-Degraded", "Cache-Status", "Retry-After", "Server-Timing"):
            assert name not in answer.headers or name in described["headers"]


async def test_the_degraded_header_keeps_to_its_pattern(data: Client, sidecar: Sidecar) -> None:
    pattern = document(batch_ids=200)["paths"]["/v1/revenue-at-risk"]["post"]["responses"]["200"][
        "headers"
    ]["BSS-Degraded"]["schema"]["pattern"]
    for reason in Reason:
        sidecar.adapter.billing = {A: Unavailable(reason)}
        asked = {"customer_ids": [str(A)]}
        async with data.ask("POST", "/v1/revenue-at-risk", json=asked) as answer:
            assert re.fullmatch(pattern, answer.headers["BSS-Degraded"])
    sidecar.adapter.billing = {A: Missing()}
    async with data.ask("POST", "/v1/revenue-at-risk", json=asked) as answer:
        assert "BSS-Degraded" not in answer.headers
