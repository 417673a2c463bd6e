"""Personal data and secrets that are easy to find again, wherever they should not be.

Every name, id and secret begins with `Kanarie`, and every fee is a five-digit one; what the
sidecar itself tells the pod is added as it comes.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.simulator.population import Shape, customer_id, identity_rows
from adapters.simulator.vendor_data import Collection, VendorData, known_filters
from tests.servers.vendors import vendor_data

MARK = "Kanarie"
_FACTOR = Decimal("1009.07")
_NAMED = frozenset({"id", "name", "billNo", "code", "reason"})


@cache
def kept_secret(shape: Shape) -> VendorData:
    """The demonstration's customers of a vendor, every one of them with data of this kind."""
    data = vendor_data(shape)
    filters = known_filters(shape, data.version)
    collections = {
        name: Collection.of([_marked(row) for row in collection.rows], filters[name])
        for name, collection in data.collections.items()
    }
    return replace(data, collections=collections)


def marked_ids(tenant: str, shape: Shape) -> Mapping[UUID, str]:
    return {one: MARK + vendor_id for one, vendor_id in identity_rows(tenant, shape)}


def _marked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _marked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, key) for inner in value]
    if key == "value":
        return (Decimal(value) * _FACTOR).quantize(Decimal("0.01"))
    return MARK + value if key in _NAMED and isinstance(value, str) else value


@dataclass(slots=True)
class Canaries:
    """All that must not be found."""

    texts: set[str] = field(default_factory=lambda: {MARK.lower()})

    def add_customer(self, customer: UUID) -> None:
        self.texts |= {str(customer), customer.hex}

    def add_tenant(self, tenant: str, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.add_customer(customer_id(tenant, number))

    def add_answer(self, body: bytes) -> None:
        """What the pod was told of a customer, except for what is no secret."""
        told = json.loads(body)
        for name in ("monthly_fee", "total_revenue_at_risk"):
            if told.get(name):
                self.add_fee(Decimal(repr(told[name])))
        if told.get("account_id"):
            self.add_customer(UUID(told["account_id"]))

    def add_fee(self, fee: Decimal) -> None:
        if fee < 1_000:
            return  # a small number can be found anywhere
        self.texts |= {f"{fee:.2f}", f"{fee:,.2f}", str(fee.normalize())}

    def add_secret(self, secret: str) -> None:
        """As it is, and as it is sent in a header."""
        pair = base64.b64encode(f"pedkai-sidecar:{secret}".encode()).decode()
        self.texts |= {secret.lower(), pair.lower()}

    def add_key(self, file: Path) -> None:
        lines = [line for line in file.read_text().splitlines() if "-----" not in line]
        self.texts |= {line.lower() for line in lines if len(line) >= 16}

    def found_in(self, text: str) -> set[str]:
        """Which of them are in a text, in whatever case."""
        folded = text.lower()
        return {one for one in self.texts if one.lower() in folded}
