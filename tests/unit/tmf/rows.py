"""Rows as a vendor would send them, in as few words as a test needs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Json = dict[str, object]


def money(value: object, unit: object = "GBP") -> Json:
    return {"unit": unit, "value": Decimal(value) if isinstance(value, str) else value}


def price(value: object = "20.00", **changes: object) -> Json:
    """A monthly price without tax. `unit` is its currency; other names are the price's fields."""
    written = {"dutyFreeAmount": money(value, changes.pop("unit", "GBP"))}
    return {
        "priceType": "recurring",
        "recurringChargePeriod": "month",
        "price": written,
        **changes,
    }


def product(product_id: str | None = "P1", *prices: Json, **changes: object) -> Json:
    row: Json = {
        "id": product_id,
        "name": f"name of {product_id}",
        "status": "active",
        "billingAccount": {"id": "ACC-1"},
        "productPrice": list(prices),
    }
    return {**row, **changes}


def alteration(**changes: object) -> Json:
    return {"priceType": "recurring", "name": "Loyalty", **changes}


def by_percent(percentage: object, **changes: object) -> Json:
    return alteration(price={"percentage": percentage}, **changes)


def by_amount(value: object, **changes: object) -> Json:
    return alteration(price={"dutyFreeAmount": money(value)}, **changes)


def rate(value: object = "20.00", period: Sequence[str] | None = None, **changes: object) -> Json:
    """An applied billing rate (v4) of a month, by default October 2026."""
    start, end = period or ("2026-10-01T00:00:00Z", "2026-10-31T23:59:59.999Z")
    return {
        "type": "recurringCharge",
        "name": "Rental Fee",
        "billingAccount": {"id": "ACC-1"},
        "product": {"id": "P1", "name": "Fibre"},
        "periodCoverage": {"startDateTime": start, "endDateTime": end},
        "taxExcludedAmount": money(value),
        **changes,
    }
