"""TMF637 rows: what a customer has bought, with prices beside and around the one that counts."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from adapters.simulator import spelling
from adapters.simulator.population import Charge, charges, is_known
from adapters.simulator.references import Row, account, owners
from adapters.simulator.shapes import Holder, Version

TAX_PERCENT = 20
_WITH_TAX = Decimal(100 + TAX_PERCENT) / 100
_PENNY = Decimal("0.01")
_PLANS = ("Fibre 100", "Fibre 500", "Mobile Unlimited", "Mobile 20 GB", "Home Phone", "TV Max")


def products(tenant: str, holder: Holder, version: Version) -> Iterator[Row]:
    """Every product of one customer, the ended ones included."""
    if not is_known(holder.n):
        return
    seller = _Seller(holder, version)
    if holder.n % 7 == 0:
        yield seller.ended()
    if holder.n % 10 == 8:
        yield from seller.without_price()
    elif holder.n % 10 == 4 and holder.n // 10 % 5 in (0, 4):
        yield from seller.bundle(charges(tenant, holder.n)[0])
    else:
        yield from seller.priced(charges(tenant, holder.n))


class _Seller:
    """Writes the products of one customer in one version."""

    def __init__(self, holder: Holder, version: Version) -> None:
        self.holder = holder
        self.version = version
        self.n = holder.n
        self.alterations = "productPriceAlteration" if version == "v4" else "priceAlteration"

    def priced(self, paid: Sequence[Charge]) -> Iterator[Row]:
        elsewhere = self.holder.shape == "amdocs" and self.n // 10 % 2 == 1
        for k, charge in enumerate(paid):
            account_id = self.holder.accounts[0 if elsewhere else k % len(self.holder.accounts)]
            row = self.product(k, self.prices(charge), account_id=account_id)
            if elsewhere and k:
                row["productPrice"][0]["billingAccount"] = account(self.holder.accounts[-1])
            yield row

    def bundle(self, charge: Charge) -> Iterator[Row]:
        """The bundle carries the price, and its child repeats a part; or the child alone has it."""
        child, bundle = self.product(1, [self.recurring(charge)]), self.product(0, [])
        if self.n // 10 % 5 == 0:
            bundle["productPrice"] = [self.recurring(charge)]
            child["productPrice"] = [self.recurring(Charge(charge.amount / 2))]
        reference = {"id": child["id"], "name": child["name"]}
        bundle |= {
            "isBundle": True,
            "product": [reference],
            "productRelationship": [{"relationshipType": "bundled", "product": reference}],
        }
        yield bundle
        yield child

    def without_price(self) -> Iterator[Row]:
        """Nothing at all; only other kinds of prices; a period nobody can read; a price that sits
        in the catalogue alone.
        """
        month = Charge(Decimal("19.99"))
        match self.n // 10 % 4:
            case 1:
                yield self.product(0, self.other_prices())
            case 2:
                unreadable = self.recurring(month) | {"recurringChargePeriod": "per contract"}
                yield self.product(0, [unreadable])
            case 3:
                in_catalogue = self.recurring(month)
                del in_catalogue["price"]
                in_catalogue["productOfferingPrice"] = {"id": "POP-7", "name": "Standard fee"}
                yield self.product(0, [in_catalogue])

    def ended(self) -> Row:
        row = self.product(9, [self.recurring(Charge(Decimal("99.99")))])
        return row | {
            "status": spelling.ended_status(self.n),
            "subStatus": "TE",
            "terminationDate": "2024-02-29T00:00:00.000Z",
        }

    def prices(self, charge: Charge) -> list[Row]:
        """The recurring charge in this customer's form, and what stands beside it."""
        if self.holder.shape == "cerillion" and self.n % 10 == 2:
            return [] if self.n // 10 % 2 else [self._unfilled(charge)]
        if self.n % 10 == 3:
            return self._discounted(charge)
        if self.n % 10 == 1:
            return [self.recurring(charge) | {"price": self._only_with_tax(charge.amount)}]
        rest = self.other_prices() if self.n % 10 in (2, 5) else []
        return [*rest[:1], self.recurring(charge), *rest[1:]]

    def recurring(self, charge: Charge) -> Row:
        return {
            "@type": "ProductPrice",
            "name": "Line rental",
            "priceType": spelling.recurring(self.n),
            "recurringChargePeriod": spelling.period(charge, self.n),
            "price": self._price(charge.amount),
        }

    def other_prices(self) -> list[Row]:
        return [
            {
                "name": "Connection",
                "priceType": spelling.one_time(self.n),
                "price": self._price(Decimal("60.00")),
            },
            {
                "name": "Data beyond the allowance",
                "priceType": spelling.usage(self.n),
                "unitOfMeasure": "GB",
                "price": self._price(Decimal("1.50")),
            },
        ]

    def _unfilled(self, charge: Charge) -> Row:
        row = self.recurring(charge)
        del row["price"]
        return row

    def _discounted(self, charge: Charge) -> list[Row]:
        """By a percentage, by an amount, or by a price of its own below zero.

        Half of the vendors write what an alteration takes off as a positive number.
        """
        off, sign = Decimal("5.00"), self.n // 10 % 2 * 2 - 1
        match self.n // 10 % 3:
            case 0:
                listed = self.recurring(Charge(charge.amount * 2))
                listed[self.alterations] = [self._alteration({"percentage": sign * 50})]
                return [listed]
            case 1:
                listed = self.recurring(Charge(charge.amount + off))
                listed[self.alterations] = [self._alteration(self._price(sign * off))]
                return [listed]
            case _:
                credit = self.recurring(Charge(-off)) | {"name": "Loyalty credit"}
                return [self.recurring(Charge(charge.amount + off)), credit]

    def _alteration(self, price: Row) -> Row:
        return {
            "name": "Loyalty discount",
            "priceType": spelling.recurring(self.n),
            "recurringChargePeriod": "month",
            "priority": 1,
            "price": price,
        }

    def product(self, k: int, prices: list[Row], *, account_id: str | None = None) -> Row:
        plan = _PLANS[(self.n + k) % len(_PLANS)]
        row: Row = {
            "id": f"PRD-{self.n:06d}-{k}",
            "name": f"{plan} of line {self.n:06d}",
            "status": spelling.charged_status(self.n),
            "subStatus": "CU",
            "startDate": "2023-04-01T00:00:00.000Z",
            "isBundle": False,
            "productOffering": {"id": f"PO-{(self.n + k) % len(_PLANS)}", "name": plan},
            "billingAccount": account(account_id or self.holder.accounts[0]),
            "relatedParty": owners(self.version, self.holder),
            "productPrice": prices,
        }
        if self.holder.shape != "cerillion":
            del row["subStatus"]
        if self.version == "v5":
            row["@type"] = "Product"
        return row

    def _price(self, amount: Decimal) -> Row:
        return {
            "dutyFreeAmount": spelling.money(amount, self.n),
            "taxIncludedAmount": spelling.money((amount * _WITH_TAX).quantize(_PENNY), self.n),
            "taxRate": TAX_PERCENT,
        }

    def _only_with_tax(self, amount: Decimal) -> Row:
        """Rounded to the penny, as bills are; taking the tax off again gives back the amount."""
        price = self._price(amount)
        del price["dutyFreeAmount"]
        return price
