from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.currency import currency_code, minor_unit


@pytest.mark.parametrize(
    ("currency", "step"),
    [
        *((code, "0.01") for code in ("GBP", "EUR", "USD", "INR", "HUF", "MRU", "ZZZ")),
        *((code, "1") for code in ("JPY", "KRW", "CLP", "ISK", "VND", "XOF", "UGX", "PYG")),
        *((code, "0.001") for code in ("BHD", "JOD", "KWD", "OMR", "TND", "IQD", "LYD")),
        *((code, "0.0001") for code in ("CLF", "UYW")),
    ],
)
def test_a_currency_is_rounded_to_its_own_minor_unit(currency: str, step: str) -> None:
    assert minor_unit(currency) == Decimal(step)


@pytest.mark.parametrize("text", ["GBP", "gbp", " Gbp ", "gbp\n"])
def test_a_code_is_read_in_any_case_and_with_stray_spaces(text: str) -> None:
    assert currency_code(text) == "GBP"


@pytest.mark.parametrize(
    "text", ["", "£", "GB", "GBPS", "G BP", "GB1", "ßa", "ﬁa", None, 826, ["GBP"]]
)
def test_what_is_no_code_is_none(text: object) -> None:
    """Some letters grow in capitals: "ßa" would become "SSA"."""
    assert currency_code(text) is None


@given(st.text())
def test_a_code_that_is_read_is_one_that_the_contract_takes(text: str) -> None:
    code = currency_code(text)
    assert code is None or (len(code) == 3 and code.isascii() and code.isupper())
