"""What the vendor of the measurements knows: rows in the shape of Amdocs, made from templates.

Customer `n` has one product, whose fee follows from `n`, so that whoever asks can check the answer.
A row costs the vendor one formatting, not a document that is built and encoded.
"""

import csv
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import UUID

FIRST_ID = 10_000_000
"""The vendor's id of customer 0: eight digits, so that fifty fit into one URL."""
_SPREAD = 9_000
_CHEAPEST = Decimal("10.00")
_CUSTOMERS = 0xBE7C << 112
_ROW = (
    b'{"id":"PRD-%(id)b-0","name":"Fibre 500 of line %(id)b","status":"active",'
    b'"startDate":"2023-04-01T00:00:00.000Z","isBundle":false,'
    b'"productOffering":{"id":"PO-1","name":"Fibre 500"},'
    b'"billingAccount":{"id":"BA-%(id)b-1","@referredType":"BillingAccount",'
    b'"@type":"BillingAccountRef"},'
    b'"relatedParty":[{"id":"%(id)b","role":"customer","@referredType":"Individual"}],'
    b'"productPrice":[{"@type":"ProductPrice","name":"Line rental","priceType":"recurring",'
    b'"recurringChargePeriod":"month","price":{'
    b'"dutyFreeAmount":{"unit":"GBP","value":%(pounds)d.%(pence)02d},"taxRate":20}},'
    b'{"name":"Connection","priceType":"oneTime","price":{'
    b'"dutyFreeAmount":{"unit":"GBP","value":60.00},"taxRate":20}}]}'
)
_ASKED = re.compile(rb"[?&]relatedParty\.id=([^&]*)")
_SEPARATORS = re.compile(rb"[,;]")


def customer(n: int) -> UUID:
    """Pedkai's id of customer `n`."""
    return UUID(int=_CUSTOMERS | n)


def vendor_id(n: int) -> str:
    return str(FIRST_ID + n)


def fee(n: int) -> Decimal:
    """What customer `n` pays a month, in GBP."""
    return _CHEAPEST + Decimal((FIRST_ID + n) % _SPREAD) / 100


def write_identities(file: Path, numbers: Iterable[int]) -> None:
    """The mounted map of a connection's `identity.file`."""
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["customer_id", "vendor_id"])
        rows.writerows((customer(n), vendor_id(n)) for n in numbers)


def asked_for(target: bytes) -> list[bytes]:
    """The vendor's ids in a query: one filter, repeated, or several values in one."""
    ids: list[bytes] = []
    for value in _ASKED.findall(target):
        if value.isdigit():
            ids.append(value)
        else:
            ids += _SEPARATORS.split(unquote_to_bytes(value))
    return ids


def products(ids: Iterable[bytes]) -> list[bytes]:
    """One row each; an id that is no number is nobody's."""
    return [_product(one) for one in ids if one.isdigit()]


def _product(vendor_id: bytes) -> bytes:
    pennies = int(vendor_id) % _SPREAD
    return _ROW % {
        b"id": vendor_id,
        b"pounds": int(_CHEAPEST) + pennies // 100,
        b"pence": pennies % 100,
    }
