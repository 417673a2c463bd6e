"""What the scrubber does with texts and values, by example."""

import dataclasses
import json
from collections import namedtuple
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.pii_scrubber import PIIScrubber
from adapters.scrubbing.kinds import PLACEHOLDER, Kind

KEY = b"k" * 32
CUSTOMER = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
ACCOUNT = BillingAccountInfo(
    customer_id=CUSTOMER, account_id=UUID(int=7), plan_name="Unlimited Max", monthly_fee=42.5
)


def scrub(value: object) -> Any:
    return PIIScrubber(key=KEY).scrub_value(value)[0]


def test_it_can_stand_in_for_the_scrubber_of_pedkai() -> None:
    scrubber = PIIScrubber(fields_to_scrub=["imsi", "phone_uk"], fields_to_pass_through=["imsi"])
    text, manifest = scrubber.scrub("IMSI 234150999999999 called 07700 900123 for £5")
    assert text == "IMSI 234150999999999 called [PHONE_REDACTED] for £5"
    assert [row["replacement"] for row in manifest] == ["[PHONE_REDACTED]"]
    assert {"field_type", "original_value_hash", "replacement"} <= set(manifest[0])
    assert PIIScrubber().scrub("fine") == ("fine", [])


def test_the_manifest_tells_equal_values_apart_from_others_and_nothing_of_them() -> None:
    text = "imsi=234150999999999 imsi=234150999999999 imsi=234150999999998"
    first, second, third = PIIScrubber(key=KEY).scrub(text)[1]
    assert first["original_value_hash"] == second["original_value_hash"]
    assert first["original_value_hash"] != third["original_value_hash"]
    assert len(first["original_value_hash"]) == 16
    other = PIIScrubber(key=b"o" * 32).scrub(text)[1][0]
    assert other["original_value_hash"] != first["original_value_hash"]
    assert PIIScrubber().scrub(text)[1][0]["original_value_hash"] not in {
        first["original_value_hash"],
        other["original_value_hash"],
    }
    assert "2341509" not in repr((first, third))


def test_a_key_is_in_no_repr() -> None:
    scrubber = PIIScrubber(key=KEY)
    assert "kkk" not in repr(scrubber) + repr(vars(scrubber).keys())


def test_names_of_fields_decide_at_any_depth_and_the_manifest_says_where() -> None:
    value = {"answers": [{"account": ACCOUNT}, ({"monthlyFee": Decimal("9.99")},)]}
    made, manifest = PIIScrubber(key=KEY).scrub_value(value)
    assert made == {
        "answers": [
            {
                "account": {
                    "customer_id": "[CUSTOMER_REDACTED]",
                    "account_id": "[CUSTOMER_REDACTED]",
                    "plan_name": "[PLAN_REDACTED]",
                    "monthly_fee": "[AMOUNT_REDACTED]",
                    "currency": "GBP",
                }
            },
            ({"monthlyFee": "[AMOUNT_REDACTED]"},),
        ]
    }
    assert [row["path"] for row in manifest][-2:] == [
        "answers[0].account.monthly_fee",
        "answers[1][0].monthlyFee",
    ]
    assert value["answers"][0] == {"account": ACCOUNT}


@dataclasses.dataclass
class Held:
    customer_ids: list[UUID]
    fee: float | None = None


Pair = namedtuple("Pair", ["email", "count"])  # noqa: PYI024  (an untyped one is what it is about)


class Color(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (Held([CUSTOMER]), {"customer_ids": ["[CUSTOMER_REDACTED]"], "fee": None}),
        (Pair("a@example.com", 2), {"email": "[EMAIL_REDACTED]", "count": 2}),
        ({"X-Api-Key": "abc", "token": True}, {"X-Api-Key": "[SECRET_REDACTED]", "token": True}),
        (
            {"price": {"taxIncludedAmount": {"value": 3, "unit": None}}},
            {"price": {"taxIncludedAmount": {"value": "[AMOUNT_REDACTED]", "unit": None}}},
        ),
        ({CUSTOMER: 1, UUID(int=1): 2}, {"[CUSTOMER_REDACTED]": 1, "[CUSTOMER_REDACTED] 2": 2}),
        ({"john@example.com": 1}, {"[EMAIL_REDACTED]": 1}),
        (
            {"value": 234150999999999, "at": 1732304769123},
            {"value": "[IMSI_REDACTED]", "at": 1732304769123},
        ),
        (
            {"name": "amdocs-north", "breaker": "vendor"},
            {"name": "amdocs-north", "breaker": "vendor"},
        ),
        ({"name": "Ann"}, {"name": "[NAME_REDACTED]"}),
        ({"correlation_id": CUSTOMER}, {"correlation_id": CUSTOMER}),
        (
            [Color.RED, b"a@example.com", SecretStr("x"), None, 1.5],
            ["red", "[EMAIL_REDACTED]", "[SECRET_REDACTED]", None, 1.5],
        ),
        ({1, 2}, [1, 2]),
        (object(), "[REDACTED]"),
        (ValueError("Mr John Smith"), "[REDACTED]"),
    ],
)
def test_a_value_of_any_shape_loses_what_is_personal(value: object, made: object) -> None:
    assert scrub(value) == made


@pytest.mark.parametrize(("priced", "told"), [(0, False), (4, False), (5, True), (200, True)])
def test_an_aggregate_is_told_of_five_priced_customers_or_more(priced: int, *, told: bool) -> None:
    result = RevenueResult(
        total_revenue_at_risk=731.37, is_estimate=False, source="mock", priced_customer_count=priced
    )
    expected = 731.37 if told else "[AMOUNT_REDACTED]"
    assert scrub(result)["total_revenue_at_risk"] == expected
    assert scrub({"total_revenue_at_risk": 1.5}) == {"total_revenue_at_risk": "[AMOUNT_REDACTED]"}
    forged = {"total_revenue_at_risk": 1.5, "priced_customer_count": True}
    assert scrub(forged)["total_revenue_at_risk"] == "[AMOUNT_REDACTED]"


def test_the_repr_of_a_model_and_json_in_a_text_are_read_by_their_names() -> None:
    told = (
        f"BillingAccountInfo(customer_id={CUSTOMER!r}, plan_name='Max 5G', monthly_fee=42.5) "
        + json.dumps({"body": json.dumps({"plan_name": "Max 5G", "monthly_fee": 42.5})})
    )
    text = PIIScrubber().scrub(told)[0]
    assert "Max" not in text
    assert "42.5" not in text
    assert str(CUSTOMER) not in text


@pytest.mark.parametrize(
    "text", ["run+447700900123", "imsi-234150999999999", "234150999999999_1", "x:234150999999999"]
)
def test_an_id_that_a_caller_made_up_may_hold_a_number_of_somebodys(text: str) -> None:
    assert "_REDACTED]" in PIIScrubber().scrub(text)[0]


def test_what_is_too_deep_too_long_or_endless_is_cut_off() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "[TRUNCATED]" in repr(scrub(endless))
    assert len(scrub(list(range(100_000)))) < 2_100
    text = PIIScrubber().scrub("a " * 1_000_000)[0]
    assert len(text) == 262_144
    assert text.endswith("[TRUNCATED]")
    assert len(scrub({"x": "a" * 100_000})["x"]) < 20_000


def test_every_replacement_is_known_as_one() -> None:
    for kind in Kind:
        assert PLACEHOLDER.fullmatch(kind.replacement)
