"""A breaker in words, for people: on the page, on a terminal."""

from collections.abc import Iterator, Mapping

_STATES = {
    "closed": "closed: traffic flows",
    "open": "open: nothing leaves",
    "half_open": "half open: a probe may leave",
    "forced_open": "forced open by an operator: nothing leaves",
    "forced_closed": "forced closed by an operator: traffic flows, whatever fails",
}


def breaker_words(breaker: Mapping[str, object], *, command: str) -> tuple[str, str]:
    """The state of a breaker, and why it is in it; `command` gives back one that is forced."""
    recent = _recent(breaker)
    state = str(breaker.get("state"))
    words = _STATES.get(state, state)
    if state == "open":
        words += f" for another {_number(breaker.get('opens_for_s')):.1f} s"
    if since := breaker.get("forced_since"):
        give_back = f"`{command}` gives it back"
        return f"{words}, since {since}", f"{give_back}; {recent}" if recent else give_back
    because = str(breaker.get("because") or "")
    return words, because if state in {"open", "half_open"} else recent


def breakers_of(connection: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Name and status of each breaker in the status of a connection."""
    breakers = connection.get("breakers")
    if isinstance(breakers, Mapping):
        yield from breakers.items()


def command(connection: str, breaker: str, wanted: str = "auto") -> str:
    """What to type to have a breaker so."""
    suffix = "" if breaker == "vendor" else f" --breaker {breaker}"
    return f"bss-sidecar breaker {connection} {wanted}{suffix}"


def _recent(breaker: Mapping[str, object]) -> str:
    calls = int(_number(breaker.get("calls")))
    if not calls:
        return ""
    failed, slow = (_number(breaker.get(name)) for name in ("failure_rate", "slow_call_rate"))
    exchanges = "exchange" if calls == 1 else "exchanges"
    return f"lately {calls} {exchanges}: {failed:.0%} failed, {slow:.0%} slow"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
