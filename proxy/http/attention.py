"""What needs somebody's attention: what is broken, since when, why, and what to do about it.

Pure: it reads the status as `/v1/status` has it, so that the page, the command line and a program
are told the same in the same words.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from proxy.http.breaker_words import command
from proxy.telemetry.lifetimes import Urgency, urgency

Shown: TypeAlias = Mapping[str, Any]


class Severity(StrEnum):
    """How bad it is, the worst first. Part of the interface."""

    BROKEN = "broken"  # nobody can be asked
    DEGRADED = "degraded"  # some answers lack something
    SOON = "soon"  # all is answered, and something will break unless somebody acts


WELL: Final = "well"
"""The state of a connection that nothing is wrong with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that somebody should know."""

    severity: Severity
    connection: str
    """`-`: the sidecar itself."""
    what: str
    why: str = ""
    since: str | None = None
    """ISO 8601; `None`: not known."""
    remedy: str = ""
    command: str | None = None
    """To be typed in the sidecar's container."""


_ASKED: Final = {
    "vendor": "the vendor",
    "token": "the token endpoint",
    "identity": "the identity database",
    "database": "the database",
}
ONGOING_S: Final = 15.0
"""Degraded answers that are further back are of the past; the charts show them."""
_DOCTOR: Final = "The doctor tries the way to it, step by step"
_REMEDIES: Final[Mapping[str, str]] = {
    "unreachable": f"Ask whether it is up. {_DOCTOR}.",
    "deadline": "It is slow or hangs. Ask whether it is well; a longer deadline would break the "
    "promise to the pod.",
    "tls": f"A certificate is refused or has ended. {_DOCTOR}.",
    "auth": f"Check the client id and secret with whoever runs the token endpoint. {_DOCTOR}.",
    "rate_limited": "Nothing: it is left alone for as long as it asked. If that is often, agree on "
    "a higher rate, or lower wire.concurrency.",
    "vendor_error": "It answers with errors of its own: tell whoever runs it, with the time.",
    "bad_response": f"It answers what is not an answer; has it changed its interface? {_DOCTOR}.",
    "overload": "Fewer questions at once, or a higher wire.concurrency if the vendor agrees.",
    "identity": "The map from Pedkai's ids to the vendor's cannot be read: check its database or "
    "file.",
    "configuration": "Mend the configuration; the sidecar takes it up by itself.",
    "stale": "Answers beyond their life stand in, as cache.staleness allows, until it is back.",
    "slow": "It answers too slowly. Ask whether it is well.",
    "breaker_open": f"It failed too often, and is left alone for a moment. {_DOCTOR}.",
}


def findings(status: Shown, now: datetime) -> list[Finding]:
    """Of the whole sidecar, the worst and oldest first."""
    found = [
        *_of_the_sidecar(status),
        *_of_files(status),
        *(
            finding
            for name, shown in status["connections"].items()
            for finding in of_connection(name, shown, now)
        ),
        *_of_the_cache(status["cache"]),
    ]
    order = list(Severity)
    return sorted(found, key=lambda one: (order.index(one.severity), one.since or "~"))


def of_connection(name: str, shown: Shown, now: datetime) -> Iterator[Finding]:
    """One thing that keeps it from answering is told, not all that follows from it."""
    broken = [
        *_of_breakers(name, shown, now),
        *_of_credentials(name, shown),
        *_of_databases(name, shown),
    ]
    yield from broken
    if all(one.severity is Severity.SOON for one in broken):
        yield from _of_answers(name, shown, now)
    yield from _of_certificates(name, shown, now)


def state_of(name: str, found: Sequence[Finding]) -> str:
    """`broken`, `degraded`, `soon` or `well`: as the worst that was found of a connection."""
    of_it = (one.severity for one in found if one.connection == name)
    return min(of_it, key=list(Severity).index, default=WELL)


def summary(status: Shown, found: Sequence[Finding]) -> dict[str, str]:
    """The whole in one `headline`, with its `state`, and `more` beside it; either may be long."""
    names = list(status["connections"])
    by_state: dict[str, list[str]] = {}
    for name in names:
        by_state.setdefault(state_of(name, found), []).append(name)
    broken = by_state.get(Severity.BROKEN, [])
    degraded = by_state.get(Severity.DEGRADED, [])
    own = next((one for one in found if one.connection == "-"), None)
    if own is not None and own.severity is Severity.BROKEN:
        return _summary(Severity.BROKEN, own.what)
    others = len(names) - len(broken) - len(degraded)
    rest = f"{_others(others)} " if others else ""
    if broken:
        also = f"{_listed(degraded)} {_verb(degraded, 'lack')} some answers. " if degraded else ""
        ends = "Pods still get their answers in time, and are told what is missing."
        is_are = "are" if len(broken) > 1 else "is"
        return _summary(Severity.BROKEN, f"{_listed(broken)} {is_are} broken", rest + also + ends)
    if degraded:
        words = f"{_listed(degraded)} {_verb(degraded, 'lack')} some answers"
        return _summary(Severity.DEGRADED, words, rest.strip())
    if found:
        things = "one thing needs" if len(found) == 1 else f"{len(found)} things need"
        return _summary(Severity.SOON, f"All answers are whole; {things} attention soon")
    return _summary(WELL, "All is well", _calm(status["connections"].values()))


def as_json(found: Sequence[Finding]) -> list[dict[str, object]]:
    return [asdict(one) for one in found]


def _of_the_sidecar(status: Shown) -> Iterator[Finding]:
    configuration = status["configuration"]
    problems = configuration["problems"]
    why = "; ".join(f"{one['path']}: {one['remedy']}" for one in problems[:3])
    if len(problems) > 3:
        why += f"; and {len(problems) - 3} more"
    if configuration["state"] == "bad":
        yield Finding(
            severity=Severity.BROKEN,
            connection="-",
            what="There is no usable configuration: every question is answered degraded",
            why=why,
            remedy="Mend the file; it is taken up by itself. The check lists every problem.",
            command="bss-sidecar check",
        )
    elif configuration["state"] == "outdated":
        yield Finding(
            severity=Severity.SOON,
            connection="-",
            what="The configuration file is bad; the last good one serves on",
            why=why,
            remedy="Mend the file; it is taken up by itself.",
            command="bss-sidecar check",
        )
    for name, address in status["listeners"].items():
        if address.startswith("not open"):
            yield Finding(
                severity=Severity.BROKEN if name == "data" else Severity.SOON,
                connection="-",
                what=f"The {name} listener is {address}",
                remedy="It is tried again by itself.",
            )


def _of_files(status: Shown) -> Iterator[Finding]:
    for file in status["files"]:
        yield Finding(
            severity=Severity.SOON,
            connection=file["connection"],
            what=f"{file['what']}: {file['file']}",
            why="What was read before serves on" if file.get("serious", True) else "It is in use",
            remedy=_sentence(file["remedy"]),
        )


def _of_breakers(name: str, shown: Shown, now: datetime) -> Iterator[Finding]:
    since = shown.get("history", {}).get("not_closed_since", {})
    breakers: Mapping[str, Shown] = shown.get("breakers", {})
    for breaker, status in breakers.items():
        if breaker == "token" and _is_open(breakers.get("vendor", {})):
            continue  # who cannot be reached at all has no token to give either
        state, whom = status.get("state"), _ASKED.get(breaker, breaker)
        common: dict[str, Any] = {"connection": name, "since": since.get(breaker)}
        if _is_open(status):
            yield _open(breaker, status, common, spared=_has_token(breaker, shown, now))
        elif state == "forced_open":
            yield Finding(
                severity=Severity.BROKEN,
                what=f"An operator wants it so: nothing is sent to {whom}",
                remedy="When that is over, give it back.",
                command=command(name, breaker),
                **common | {"since": status.get("forced_since") or common["since"]},
            )
        elif state == "forced_closed":
            yield Finding(
                severity=Severity.SOON,
                what=f"An operator wants it so: everything is sent to {whom}, whatever fails",
                remedy="When that is over, give it back.",
                command=command(name, breaker),
                **common | {"since": status.get("forced_since") or common["since"]},
            )


def _is_open(breaker: Shown) -> bool:
    """By itself."""
    return breaker.get("state") in {"open", "half_open"}


def _open(breaker: str, status: Shown, common: dict[str, Any], *, spared: bool) -> Finding:
    whom, because = _ASKED.get(breaker, breaker), str(status.get("because") or "")
    reason, wait_s = because.partition(":")[0], float(status.get("opens_for_s") or 0)
    if reason == "given back":
        return Finding(
            severity=Severity.SOON,
            what=f"The breaker of {whom} was given back: the next question is its probe",
            remedy="Nothing: if the probe succeeds, all flows again.",
            **common,
        )
    again = f"in {wait_s:.0f} s" if wait_s >= 1 else "with the next question"
    return Finding(
        severity=Severity.SOON if spared else Severity.BROKEN,
        what=f"Nothing is sent to {whom}: its breaker is open"
        + (". The token that there is still serves" if spared else ""),
        why=because,
        remedy=f"It tries again by itself {again}. {_REMEDIES.get(reason, f'{_DOCTOR}.')}",
        command=f"bss-sidecar doctor --connection {common['connection']}",
        **common,
    )


def _has_token(breaker: str, shown: Shown, now: datetime) -> bool:
    ends = shown.get("token_ends_at")
    return breaker == "token" and ends is not None and datetime.fromisoformat(ends) > now


def _of_credentials(name: str, shown: Shown) -> Iterator[Finding]:
    if shown.get("credentials") == "unusable":
        yield Finding(
            severity=Severity.BROKEN,
            connection=name,
            what="There are no usable credentials: nothing is sent to the vendor",
            why=str(shown.get("problem") or ""),
            remedy="Mount good ones; they are taken up by themselves.",
            command=f"bss-sidecar doctor --connection {name}",
        )


def _of_databases(name: str, shown: Shown) -> Iterator[Finding]:
    if (database := shown.get("database", "open")) != "open":
        yield Finding(
            severity=Severity.BROKEN,
            connection=name,
            what="The database cannot be used",
            why=str(database),
            remedy="Check the file with its URL, and whether it is up.",
            command=f"bss-sidecar doctor --connection {name}",
        )
    _, _, problem = str(shown.get("identity", "")).partition(": ")
    if problem:
        yield Finding(
            severity=Severity.DEGRADED,
            connection=name,
            what="The map from Pedkai's ids to the vendor's cannot be read",
            why=problem,
            remedy="Who is remembered goes on. Check its database or file.",
            command=f"bss-sidecar doctor --connection {name}",
        )


def _of_answers(name: str, shown: Shown, now: datetime) -> Iterator[Finding]:
    history = shown.get("history", {})
    degraded, questions = history.get("degraded", 0), history.get("questions", 0)
    last = history.get("degraded_last")
    if not degraded or last is None:
        return
    if (now - datetime.fromisoformat(last)).total_seconds() > ONGOING_S:
        return
    reasons = history.get("reasons", {})
    first = next(iter(reasons), "")
    problem = str(shown.get("problem") or "")
    yield Finding(
        severity=Severity.BROKEN if degraded == questions else Severity.DEGRADED,
        connection=name,
        what=f"{degraded:,} of {questions:,} answers of the last minute "
        f"lack{'s' if degraded == 1 else ''} something",
        why=", ".join(
            f"{why} {'once' if count == 1 else f'{count:,} times'}"
            for why, count in reasons.items()
        )
        + (f"; {problem}" if problem else ""),
        since=history.get("degraded_since"),
        remedy=_REMEDIES.get(first, f"{_DOCTOR}."),
        command=f"bss-sidecar doctor --connection {name}",
    )


def _of_certificates(name: str, shown: Shown, now: datetime) -> Iterator[Finding]:
    for facts in shown.get("client_certificate", ())[:1]:
        ends = datetime.fromisoformat(facts["not_after"])
        level = urgency(datetime.fromisoformat(facts["not_before"]), ends, now)
        if level is Urgency.NONE:
            continue
        ended = level is Urgency.ENDED
        yield Finding(
            severity=Severity.BROKEN if ended else Severity.SOON,
            connection=name,
            what="The client certificate has ended"
            if ended
            else f"The client certificate ends {ends:%Y-%m-%d %H:%M} UTC",
            since=facts["not_after"] if ended else None,
            remedy="Let its issuer make a new one and mount it; it is taken up by itself.",
        )


def _of_the_cache(cache: Shown) -> Iterator[Finding]:
    breakers = cache.get("breakers") or {}
    if any(map(_is_open, breakers.values())):
        yield Finding(
            severity=Severity.SOON,
            connection="-",
            what="The shared cache cannot be used: answers are right, and vendors are asked more",
            why=str(cache.get("failure") or ""),
            remedy="Check the Redis; it is tried again by itself.",
        )
    for field in ("problem", "warning"):
        if cache.get(field):
            yield Finding(
                severity=Severity.SOON,
                connection="-",
                what="The cache keeps nothing" if field == "problem" else "About the cache",
                why=str(cache[field]),
            )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _summary(state: str, headline: str, more: str = "") -> dict[str, str]:
    return {"state": state, "headline": headline, "more": more}


def _calm(connections: Collection[Shown]) -> str:
    questions = sum(one.get("history", {}).get("questions", 0) for one in connections)
    there_are = f"{len(connections)} connection{'' if len(connections) == 1 else 's'}"
    if not questions:
        return f"Nobody has asked in the last minute. {there_are} ready."
    asked = f"{questions:,} question{'' if questions == 1 else 's'}"
    lacking = sum(one.get("history", {}).get("degraded", 0) for one in connections)
    if not lacking:
        return f"{asked} in the last minute over {there_are}, every answer whole."
    answers = "one answer" if lacking == 1 else f"{lacking:,} answers"
    return (
        f"{asked} in the last minute over {there_are}. {_sentence(answers)[:-1]} lacked something, "
        f"none of them in the last {ONGOING_S:.0f} s."
    )


def _listed(names: Sequence[str], most: int = 2) -> str:
    if len(names) <= most:
        return " and ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def _verb(names: Sequence[str], verb: str) -> str:
    return verb if len(names) > 1 else f"{verb}s"


def _others(number: int) -> str:
    return (
        "The other one answers in full." if number == 1 else (f"The other {number} answer in full.")
    )
