"""Names of fields under which something personal or secret stands, whatever it looks like."""

import re

from adapters.scrubbing.kinds import Kind

_NAMES: dict[Kind, str] = {
    Kind.SECRET: """
        password passwd passphrase secret client_secret token access_token refresh_token id_token
        bearer_token api_key x_api_key authorization proxy_authorization cookie set_cookie
        private_key signing_key master_key dsn client_assertion pin pin_code puk otp
        """,
    Kind.CUSTOMER_ID: """
        customer_id unavailable_customer_id customer_uuid subscriber_id vendor_id external_id
        vendor_customer_id billing_account_id account_id account_uuid party_id related_party_id
        user_id subscription_id
        """,
    Kind.SUBSCRIBER_NAME: """
        name first_name last_name middle_name given_name family_name surname full_name legal_name
        customer_name subscriber_name contact_name holder_name account_holder cardholder
        cardholder_name account_name customer subscriber contact user_name display_name caller
        """,
    Kind.PLAN_NAME: "plan plan_name service_plan product_name offering_name tariff tariff_name",
    Kind.BILLING_AMOUNT: """
        monthly_fee fee amount price charge balance avg_monthly_revenue monthly_revenue arpu
        monthly_charge recurring_charge tax_included_amount duty_free_amount amount_due bill_amount
        """,
    Kind.ACCOUNT_NUMBER: "account_number account_no acct_no acct_number bank_account sort_code",
    Kind.IBAN: "iban",
    Kind.CARD_NUMBER: "card_number card_no credit_card pan card",
    Kind.IMSI: "imsi",
    Kind.DEVICE_ID: "imei imeisv iccid eid mac mac_address sim_serial",
    Kind.MSISDN: """
        msisdn phone phone_number mobile mobile_number telephone telephone_number tel fax fax_number
        contact_number called_number calling_number mobile_no phone_no
        """,
    Kind.EMAIL: "email e_mail email_address mail",
    Kind.IPV4: "ip ip_address client_ip remote_addr remote_ip source_ip ipv4 ipv4_address",
    Kind.IPV6: "ipv6 ipv6_address",
    Kind.PERSONAL: """
        date_of_birth birth_date birthday dob street street_name street_address postcode post_code
        postal_code zip zip_code home_address billing_address national_id passport_number ssn
        """,
}
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_LONGEST = 64
_MACHINE_NAME = re.compile(r"[a-z0-9][a-z0-9_.:/-]*")


def _plain(name: str) -> str:
    return _PUNCTUATION.sub("", name[:_LONGEST].lower())


_KINDS = {_plain(name): kind for kind, names in _NAMES.items() for name in names.split()}
AGGREGATE = "totalrevenueatrisk"
COUNT = "pricedcustomercount"
FEWEST_PRICED = 5
"""Customers behind an aggregate before it may be told: of fewer it is nearly somebody's fee."""


def kind_of(name: str) -> Kind | None:
    """What stands under a name, in whatever case, with or without separators or a plural `s`."""
    plain = _plain(name)
    return _KINDS.get(plain) or (_KINDS.get(plain[:-1]) if plain.endswith("s") else None)


def is_aggregate(name: str) -> bool:
    return _plain(name) == AGGREGATE


def is_count(name: str) -> bool:
    return _plain(name) == COUNT


def is_harmless(kind: Kind, text: str) -> bool:
    """Whether a text under such a name is what machines are called, such as a breaker's name."""
    return kind is Kind.SUBSCRIBER_NAME and _MACHINE_NAME.fullmatch(text) is not None
