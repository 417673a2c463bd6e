"""What can be found, and what stands in its place."""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum


class Kind(StrEnum):
    """Of what was replaced: `field_type` in a manifest. Pedkai's names, where it has one."""

    SECRET = "secret"  # noqa: S105  (the kind's name)
    CUSTOMER_ID = "customer_id"
    SUBSCRIBER_NAME = "subscriber_name"
    PLAN_NAME = "plan_name"
    BILLING_AMOUNT = "billing_amount"
    ACCOUNT_NUMBER = "account_number"
    IBAN = "iban"
    CARD_NUMBER = "card_number"
    IMSI = "imsi"
    DEVICE_ID = "device_id"
    MSISDN = "msisdn"
    EMAIL = "email"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    PERSONAL = "personal"

    @property
    def replacement(self) -> str:
        return _REPLACEMENTS[self]


_REPLACEMENTS = {
    Kind.SECRET: "[SECRET_REDACTED]",
    Kind.CUSTOMER_ID: "[CUSTOMER_REDACTED]",
    Kind.SUBSCRIBER_NAME: "[NAME_REDACTED]",
    Kind.PLAN_NAME: "[PLAN_REDACTED]",
    Kind.BILLING_AMOUNT: "[AMOUNT_REDACTED]",
    Kind.ACCOUNT_NUMBER: "[ACCOUNT_REDACTED]",
    Kind.IBAN: "[IBAN_REDACTED]",
    Kind.CARD_NUMBER: "[CARD_REDACTED]",
    Kind.IMSI: "[IMSI_REDACTED]",
    Kind.DEVICE_ID: "[DEVICE_REDACTED]",
    Kind.MSISDN: "[PHONE_REDACTED]",
    Kind.EMAIL: "[EMAIL_REDACTED]",
    Kind.IPV4: "[IP_REDACTED]",
    Kind.IPV6: "[IP_REDACTED]",
    Kind.PERSONAL: "[PERSONAL_REDACTED]",
}
REDACTED = "[REDACTED]"
"""Instead of what can't be scrubbed at all."""
TRUNCATED = "[TRUNCATED]"
"""Where more was than is looked at."""
PLACEHOLDER = re.compile(r"\[(?:(?:[A-Z]{1,12}_)?REDACTED|TRUNCATED)\]")

_OLDER_NAMES = {"phone_uk": Kind.MSISDN, "phone_us": Kind.MSISDN}
"""Names that Pedkai's scrubber has for what is one kind here."""


def kinds_of(names: Iterable[str]) -> Collection[Kind]:
    """The kinds of these names; names of nothing are passed over, as Pedkai's scrubber does."""
    known = {kind.value: kind for kind in Kind} | _OLDER_NAMES
    return frozenset(known[name] for name in names if name in known)
