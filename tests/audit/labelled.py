"""Texts of which is known what is personal in them, and texts that only look like it.

Everything is made up from a seed. Check digits are right where it says so, and numbers come from
ranges that nobody has where there are such (Ofcom's for drama, RFC 5737, RFC 3849, RFC 2606).
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from adapters.scrubbing.checks import passes_luhn, passes_mod_97
from adapters.scrubbing.kinds import Kind

SEED = 20_260_225
PER_TEMPLATE = 12


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and where each thing personal in it stands."""

    text: str
    truth: tuple[tuple[int, int, Kind], ...]


FIRST = [
    "John",
    "Aoife",
    "Zoë",
    "José",
    "Priya",
    "Wei",
    "Fatima",
    "Björn",
    "Siobhán",
    "Łukasz",
    "Oluwaseun",
    "Anna-Marie",
    "Χρήστος",
]
LAST = [
    "Smith",
    "O'Brien",
    "García",
    "Nguyễn",
    "Müller",
    "Okafor",
    "Al-Rashid",
    "Kowalczyk",
    "D’Angelo",
    "Παπαδόπουλος",
]
PLANS = ("Unlimited Max 5G", "Fibre 900", "SIM Only 20GB", "Business Essentials", "Family-Share XL")
BANKS = {"GB": "NWBK", "DE": "", "FR": "", "NL": "INGB", "IE": "AIBK", "ES": ""}
DIGITS_OF = {"GB": 14, "DE": 18, "FR": 23, "NL": 10, "IE": 14, "ES": 20}


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choice("0123456789") for _ in range(count))


def _grouped(text: str, by: int, separator: str) -> str:
    return separator.join(text[at : at + by] for at in range(0, len(text), by))


def _card(dice: random.Random) -> str:
    body = dice.choice(["4", "51", "55", "6011"])
    body += _digits(dice, 15 - len(body))
    number = next(body + one for one in "0123456789" if passes_luhn(body + one))
    return dice.choice([number, _grouped(number, 4, " "), _grouped(number, 4, "-")])


def _iban(dice: random.Random) -> str:
    country = dice.choice(list(BANKS))
    rest = BANKS[country] + _digits(dice, DIGITS_OF[country])
    bare = next(one for check in range(2, 99) if passes_mod_97(one := f"{country}{check:02}{rest}"))
    return dice.choice([bare, _grouped(bare, 4, " "), bare.lower()])


def _imsi(dice: random.Random) -> str:
    return dice.choice(["23415", "310410", "26201", "40445", "00101"]).ljust(15, "0")[:6] + _digits(
        dice, 9
    )


def _phone(dice: random.Random) -> str:
    last = _digits(dice, 3)
    return dice.choice(
        [
            f"+447700900{last}",
            f"+44 7700 900{last}",
            f"07700 900{last}",
            f"07700900{last}",
            f"020 7946 0{last}",
            f"(020) 7946 0{last}",
            f"00447700900{last}",
            f"447700900{last}",
            f"+1 202-555-0{last}",
            f"+1 (202) 555-0{last}",
            f"+33 6 39 98 {last[:2]} 15",
            f"+353 20 915 {last}1",
            f"+491755550{last}",
        ]
    )


def _amount(dice: random.Random) -> str:
    whole, cents = dice.randint(1, 9_999), dice.randint(0, 99)
    return dice.choice(
        [
            f"£{whole}.{cents:02}",
            f"£{whole:,}.{cents:02}",
            f"{whole}.{cents:02} GBP",
            f"EUR {whole}",
            f"€{whole},{cents:02}",
            f"{whole},{cents:02} €",
            f"$ {whole}",
            f"US${whole}.{cents:02}",
            f"{whole} pounds",
            f"GBP{whole}.{cents:02}",
            f"£{whole}k",
            f"-£{whole}.{cents:02}"[1:],
        ]
    )


def _email(dice: random.Random) -> str:
    user = dice.choice(["j.smith", "aoife+bills", "obrien", "x_1", "müller", "a-b.c"])
    host = dice.choice(["example.com", "mail.example.co.uk", "münchen.example"])
    return f"{user}{dice.randint(1, 99)}@{host}"


def _ipv4(dice: random.Random) -> str:
    return dice.choice(["192.0.2.", "198.51.100.", "203.0.113.", "10.20.30."]) + str(
        dice.randint(1, 254)
    )


def _ipv6(dice: random.Random) -> str:
    tail = f"{dice.getrandbits(16):x}:{dice.randint(1, 9)}{dice.getrandbits(8):02x}"
    return dice.choice([f"2001:db8::{tail}", f"2001:db8:0:0:1:2:{tail}", f"fe80::{tail}"])


def _uuid(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _name(dice: random.Random) -> str:
    return f"{dice.choice(FIRST)} {dice.choice(LAST)}"


VALUES: Mapping[Kind, Callable[[random.Random], str]] = {
    Kind.CARD_NUMBER: _card,
    Kind.IBAN: _iban,
    Kind.IMSI: _imsi,
    Kind.MSISDN: _phone,
    Kind.BILLING_AMOUNT: _amount,
    Kind.EMAIL: _email,
    Kind.IPV4: _ipv4,
    Kind.IPV6: _ipv6,
    Kind.CUSTOMER_ID: _uuid,
    Kind.SUBSCRIBER_NAME: _name,
    Kind.PLAN_NAME: lambda dice: dice.choice(PLANS),
    Kind.ACCOUNT_NUMBER: lambda dice: _digits(dice, dice.randint(6, 12)),
    Kind.SECRET: lambda dice: f"{dice.getrandbits(128):032x}",
}

SENTENCES = (
    "the subscriber with {} lost service at 19:46:09",
    "please look at {}, and at nothing else.",
    "({}) is affected; 3 of 5 sites are down",
    "2026-11-22T19:46:09Z {} breaker vendor open",
)
"""For what speaks for itself."""
ALONE = (
    Kind.CARD_NUMBER,
    Kind.IBAN,
    Kind.IMSI,
    Kind.MSISDN,
    Kind.BILLING_AMOUNT,
    Kind.EMAIL,
    Kind.IPV4,
    Kind.IPV6,
)
LABELLED: Mapping[Kind, tuple[str, ...]] = {
    Kind.CUSTOMER_ID: (
        "customer {} is gone",
        "customer_id={} trace=1",
        '{{"customer_id": "{}"}}',
        "billing_account(customer_id=UUID('{}'), currency='GBP')",
        "subscriber id {}.",
    ),
    Kind.SUBSCRIBER_NAME: (
        "Customer: {}, London",
        "Subscriber: {} complains",
        "account holder: {}; gold",
        "Dear Mr {},",
        "we called Mrs. {} twice",
        '{{"full_name": "{}"}}',
        "customer_name='{}'",
        "Contact: {}\nnext",
    ),
    Kind.PLAN_NAME: (
        '{{"plan_name": "{}"}}',
        "plan_name='{}', is_live=True",
        "Plan: {}, since May",
    ),
    Kind.ACCOUNT_NUMBER: (
        "account number {} is in arrears",
        "Account no. {}",
        "acct: {}",
        "account_number={}",
        "account {} owes nothing",
        "a/c no. {}, closed",
    ),
    Kind.BILLING_AMOUNT: (
        '"monthly_fee": {}9.5',
        "monthly_fee={}7.25)",
        "a charge of {}1.99 a month",
    ),
    Kind.MSISDN: ("msisdn={}", "phone: {}", "tel {}", "MSISDN {} roams"),
    Kind.IMSI: ("imsi={}", "IMSI {} attached", '"imsi": "{}"'),
    Kind.SECRET: (
        "Authorization: Bearer {}",
        "client_secret={}",
        "password: {}",
        '"access_token": "{}"',
        "redis://user:{}@cache.example:6379/0",
    ),
}

NEGATIVES = (
    "bss-sidecar 1.27.3 replaces 1.26.11",
    "version 10.2.14.1 of the agent",
    "build 2026.11.22.4",
    "timestamp 1732304769123 ms",
    "at 1732304769 and 1732304769123456789",
    "2026-11-22T19:46:09.123456Z",
    "22/Nov/2026:19:46:09 +0000",
    "2026-11-22 19:46:09+01:00",
    "asked 200 ids, 187 priced, 13 not",
    "breaker amdocs-uk-3 vendor half_open",
    "breaker: vendor, state: open",
    "name: amdocs-north",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "correlation_id=3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "request 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "took 1,234.5 ms, 99.95 % in time",
    "queue 12 of 1000, limit 32",
    "top 10 of ALL 5 pods, TRY 3 times",
    "certificate ends 2027-01-31, serial 04:8f:1b:22:9c",
    "sha256:9f86d081884c7d659a2feaa0c55ad015",
    "listening at http://127.0.0.1:8650 and [::1]:8652",
    "std::vector<int> and Foo::bar",
    "12:30:45",
    "mac layer, ip stack, mail queue",
    "token: refreshed",
    "secret: mounted",
    "account: suspended",
    "exit status 64, errno 111",
    "Content-Length: 65536",
    "5 accounts, 3 customers, 2 tenants",
    "price: none",
    "amount: unknown",
    "customer: unknown",
    "phone: n/a",
    "Retry-After: 60",
    "order 4111 1111 1111 1112 was mistyped",
    "GB29 NWBK 6016 1331 9268 18 was mistyped",
    "serial 12345678901234567890123",
    "commit 7efc4d1, tag v0.1.0",
    "section 5.2.1, RFC 9457",
    "port 8651/tcp",
    "memory 128MiB, 0.25 cores",
    "ratio 0.123456789012345",
    "-1.5 and +2.75 degrees",
    "tests 4311 passed in 214.07s",
    "0x7f3a9c001230 is an address",
    "node ip-10-0-3-17",
    "1e-9 < 3.14159265358979",
    "cells 234-15-1234-56789",
    "id 99 of 100",
    "May 2026, Q3 2026, week 47",
    "Cerillion answered HTTP 503",
    "2026-11-22 to 2026-12-31",
    "plan: ",
    "released 2026112201",
    "LAC 4021 CI 30211",
    "deadline 1900 ms of 2000",
)


def labelled_set(seed: int = SEED) -> Iterator[Labelled]:
    """The same for the same seed."""
    dice = random.Random(seed)
    for _ in range(PER_TEMPLATE):
        for kind in ALONE:
            for sentence in SENTENCES:
                yield _filled(sentence, kind, VALUES[kind](dice))
        for kind, templates in LABELLED.items():
            for template in templates:
                yield _filled(template, kind, _labelled_value(kind, template, dice))
        for text in NEGATIVES:
            yield Labelled(text, ())
    for text in NEGATIVES:
        other = dice.choice(list(ALONE))
        yield _filled(text.replace("{", "").replace("}", "") + "; {}", other, VALUES[other](dice))


def _labelled_value(kind: Kind, template: str, dice: random.Random) -> str:
    if kind is Kind.BILLING_AMOUNT:  # the template ends the figure
        return str(dice.randint(1, 99))
    return VALUES[kind](dice)


def _filled(template: str, kind: Kind, value: str) -> Labelled:
    before, after = (half.replace("{{", "{").replace("}}", "}") for half in template.split("{}"))
    return Labelled(before + value + after, ((len(before), len(before) + len(value), kind),))
