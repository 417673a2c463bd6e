"""The nouns of pricing: a charge, what is none, and the rules of a connection."""

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Literal


class Verdict(Enum):
    """What a price is when it is no charge."""

    NOTHING = "nothing"  # adds nothing to a month: one-time, usage, penalty, not in force
    MISSING = "missing"  # its amount is not there, or only in the catalog: unknown, not zero
    UNDECIDABLE = "undecidable"  # it would have to be guessed: its customer has no fee


@dataclass(frozen=True, slots=True)
class Charge:
    """What one price adds to a month. Exact: only the whole fee is ever rounded."""

    amount: Fraction = field(repr=False)
    """In the tax basis of the connection; negative for a discount."""
    currency: str = field(repr=False)
    """ISO 4217 code."""
    account: str | None = field(default=None, repr=False)
    """The vendor's id of the billing account that it is on, where one is named."""
    is_discount: bool = False
    """It lowers what other prices come to, and is no price by itself."""

    def paid_by(self, account: str | None) -> "Charge":
        """The same, on this account unless it names one."""
        if self.account or not account:
            return self
        return Charge(self.amount, self.currency, account, self.is_discount)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRules:
    """How the prices of a connection are read."""

    tax_basis: Literal["excluded", "included"] = "excluded"
    """Which of the two amounts counts. One basis for all prices of a connection."""
    tax_rate_scale: Literal["percent", "fraction"] = "percent"
    """Whether `taxRate` 20 or `taxRate` 0.2 means 20 %. Never told from the number."""
