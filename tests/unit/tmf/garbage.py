"""Anything that JSON can hold, and rows that are right but for one place."""

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

_WORDS = (
    *("recurring", "usage", "month", "P1M", "GBP", "active", "terminated", "bundled", "NaN", ""),
    *("1E+999999", "20.00", "2026-10-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01"),
)
_NAMES = (
    *("id", "status", "product", "productPrice", "price", "priceType", "recurringChargePeriod"),
    *("dutyFreeAmount", "taxIncludedAmount", "taxRate", "unit", "value", "productRelationship"),
    *("relationshipType", "productPriceAlteration", "priceAlteration", "percentage", "priority"),
    *("validFor", "startDateTime", "endDateTime", "applicationDuration", "terminationDate"),
    *("periodCoverage", "type", "taxExcludedAmount", "date", "billingAccount", "productOffering"),
)


def garbage() -> st.SearchStrategy[Any]:
    """Any JSON at all, with a taste for TM Forum's words; all numbers are Decimals."""
    leaf = st.one_of(
        st.none(), st.booleans(), st.decimals(), st.text(max_size=8), st.sampled_from(_WORDS)
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from(_NAMES), inner, max_size=6),
        ),
        max_leaves=25,
    )


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """A copy of `whole` in which one place holds garbage."""
    holder = {"root": deepcopy(whole)}
    places = list(_places(holder))
    container, key = places[draw(st.integers(0, len(places) - 1))]
    odd = st.sampled_from([None, "", [], {}, True, Decimal("NaN"), Decimal("1E+999999"), [None]])
    container[key] = draw(st.one_of(odd, garbage()))
    return holder["root"]


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    keys = container if isinstance(container, dict) else range(len(container))
    for key in list(keys):
        yield container, key
        if isinstance(container[key], dict | list):
            yield from _places(container[key])
