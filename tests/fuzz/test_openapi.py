"""`/openapi.json` is true: whatever is asked, the answer is one that it tells of."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig

from proxy.http.openapi import document
from tests.fuzz.target import KNOWN, TENANTS, Target, target

SEED = int(os.environ.get("SEED", "1"))  # noqa: TID251  (a test knob)
EXAMPLES = 20
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
OPERATIONS = ("getBillingAccount", "getRevenueAtRisk", "checkDisputes", "forgetCustomer")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target(tmp_path_factory.mktemp("openapi")) as made:
        yield made
        made.check_unharmed()


@cache
def operations() -> dict[str, Any]:
    refusals = {"expected-statuses": ["400", "401", "403", "404", "408", "413", "415", "422"]}
    config = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": refusals}})
    schema = schemathesis.openapi.from_dict(document(batch_ids=200), config=config)
    found = [result.ok() for result in schema.get_all_operations()]
    return {one.definition.raw["operationId"]: one for one in found}


def test_every_operation_is_asked() -> None:
    assert set(operations()) == set(OPERATIONS)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_one_that_the_document_tells_of(
    served: Target, plenty: int, operation: str, mode: GenerationMode
) -> None:
    """Status, headers, content type and body; and no 5xx but the designed 503."""
    one = operations()[operation]
    seen: set[int] = set()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES * plenty,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=one.as_strategy(generation_mode=mode),
        tenant=st.sampled_from([*TENANTS, None]),
        known=st.booleans(),
    )
    def ask(case: Case, tenant: str | None, *, known: bool) -> None:
        if tenant is not None:
            case.headers["X-Tenant-ID"] = tenant
        if operation == "forgetCustomer":  # OpenAPI can't ask for a content type without content
            case.headers["Content-Type"] = "application/json"
        if known and mode is GenerationMode.POSITIVE:
            _about(case, str(KNOWN))
        base = f"http://127.0.0.1:{served.addresses['data'].where}"
        answer = case.call(base_url=base)
        case.validate_response(answer, excluded_checks=[not_a_server_error])
        seen.add(answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 503

    ask()
    assert seen & ({200, 204} if mode is GenerationMode.POSITIVE else {400, 404, 415, 422})


def _about(case: Case, customer_id: str) -> None:
    if "customer_id" in case.path_parameters:
        case.path_parameters["customer_id"] = customer_id
    elif isinstance(case.body, dict):
        case.body["customer_ids"] = [customer_id, *case.body["customer_ids"][:100]]
