"""A certificate in a person's words. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from proxy.credentials.certificates import CertificateFacts
from proxy.doctor.findings import Advice, Fact, printable

SHOWN_NAMES = 8
SOON = 1 / 3
"""Share of its lifetime that is left when a certificate should be renewed: whoever renews by
themselves do it then, whether a certificate lives for a day or for a year."""


def facts_of(chain: Sequence[CertificateFacts], now: datetime) -> tuple[Fact, ...]:
    """Of the first certificate, and in one line those that came with it."""
    leaf = chain[0]
    return (
        Fact("subject", subject_of(leaf)),
        Fact("names", ", ".join(names_of(leaf)) or "none"),
        Fact("issuer", issuer_of(leaf)),
        Fact("serial", f"{leaf.serial:x}"),
        Fact("valid", validity_of(leaf, now)),
        Fact("usage", "not restricted" if leaf.usages is None else ", ".join(leaf.usages)),
        Fact("key", leaf.key),
        Fact("chain", chain_of(chain)),
    )


def renewal_advice(
    chain: Sequence[CertificateFacts], whose: str, now: datetime
) -> tuple[Advice, ...]:
    """Where little is left of the first certificate, and it is still valid."""
    left = chain[0].share_left(now) if chain else 1.0
    if not 0 < left < SOON:
        return ()
    leaf = chain[0]
    ends = f"in {span(leaf.not_after - now)}, on {moment(leaf.not_after)} UTC"
    return (
        Advice(
            cause=f"{whose} ends {ends}: {left:.0%} of its life are left",
            cure="have it renewed now; a renewed file is taken up without a restart",
        ),
    )


def subject_of(certificate: CertificateFacts) -> str:
    return printable(certificate.subject) or "(empty)"


def issuer_of(certificate: CertificateFacts) -> str:
    return printable(certificate.issuer) or "(empty)"


def names_of(certificate: CertificateFacts) -> list[str]:
    """DNS names and addresses for which it stands."""
    names = certificate.names
    more = [f"and {len(names) - SHOWN_NAMES} more"] if len(names) > SHOWN_NAMES else []
    return [printable(name) for name in names[:SHOWN_NAMES]] + more


def validity_of(certificate: CertificateFacts, now: datetime) -> str:
    begins, ends = certificate.not_before, certificate.not_after
    if now < begins:
        left = f"begins in {span(begins - now)}"
    elif now >= ends:
        left = f"ended {span(now - ends)} ago"
    else:
        left = f"{span(ends - now)} left"
    return f"{moment(begins)} to {moment(ends)} UTC, {left}"


def chain_of(chain: Sequence[CertificateFacts]) -> str:
    """From the leaf up to the last certificate that is there."""
    above = [subject_of(one) for one in chain[1:]]
    return f"issued by {', issued by '.join(above)}" if above else "no intermediates"


def moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}"


def span(time: timedelta) -> str:
    """In the largest unit of which there are two: days, hours, minutes or seconds."""
    seconds = time.total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} seconds"
