"""What was found out, as a table for people, as Markdown and as JSON. No figure of a customer."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from tests.chaos.full import Outcome
from tests.chaos.trial import Findings

HEAD = (
    "fault", "questions", "200", "in full", "degraded by reason", "p50", "p99", "longest",
    "late", "wrong", "well after",
)  # fmt: skip
PAIRS, SINGLES = "pairs, by chance", "one, by chance"


def merged(name: str, found: Iterable[Findings]) -> Findings:
    """Several as one."""
    total = Findings(name=name, lane="")
    for one in found:
        total.questions += one.questions
        total.hung_up += one.hung_up
        total.full += one.full
        for counts in ("statuses", "degraded", "unexpected", "wrong"):
            getattr(total, counts).update(getattr(one, counts))
        total.took_s += one.took_s
        total.beyond_s += one.beyond_s
        total.recovered_s = max(total.recovered_s, one.recovered_s)
    return total


def findings(outcome: Outcome) -> Sequence[Findings]:
    """One for each row."""
    named: defaultdict[str, list[Findings]] = defaultdict(list)
    for one in (*outcome.control, *outcome.alone):
        named[one.name].append(one)
    rows = [merged(name, found) for name, found in named.items()]
    is_pair = {True: PAIRS, False: SINGLES}
    for kind, name in is_pair.items():
        found = [one for one in outcome.by_chance if (" + " in one.name) is kind]
        rows.append(merged(f"{name} ({len(found)} times)", found))
    return rows


def row(one: Findings, allowance_s: float) -> Sequence[str]:
    late = sum(beyond > allowance_s for beyond in one.beyond_s)
    return (
        one.name,
        f"{one.questions:,}",
        f"{one.statuses[200]:,}",
        f"{one.full:,}",
        _counted(one.degraded),
        *(_ms(one.quantile_s(share)) for share in (0.5, 0.99, 1.0)),
        str(late),
        str(sum(one.wrong.values())),
        f"{one.recovered_s:.2f} s",
    )


def lines(outcome: Outcome) -> Sequence[str]:
    """What stands beside the table."""
    load = f"{outcome.rate.customers:.0f} customers a second on each lane"
    latest_s = max((one.latest_s for one in outcome.under_faults), default=0.0)
    told = [
        f"The sidecar took {outcome.cpu:.0%} of a core without a fault, at {load}.",
        f"Late: more than {outcome.allowance_s * 1000:.0f} ms after the deadline.",
        f"The latest came {latest_s * 1000:.0f} ms after its deadline.",
        f"Others kept the sidecar from running for {outcome.waited:.1%} of the time.",
    ]
    if (left := outcome.left_behind) is not None:
        told.append(
            f"At rest, before and after: {sum(left.before.tasks.values())} and "
            f"{sum(left.after.tasks.values())} tasks, {left.before.files} and {left.after.files} "
            f"open files ({left.before.sockets} and {left.after.sockets} sockets), "
            f"{left.before.resident_bytes / 1e6:.0f} and {left.after.resident_bytes / 1e6:.0f} MB."
        )
        first, second = left.halves
        told.append(
            f"Memory under random faults: {first / 1e6:.0f} MB in the first half of the time, "
            f"{second / 1e6:.0f} MB in the second."
        )
    if (one := outcome.arithmetic) is not None and one.questions:
        told.append(
            f"A vendor that is down 1 % of the time and slow 2 %, for {one.seconds:.0f} s and "
            f"{one.questions} questions: {one.valid_in_time / one.questions:.2%} of the answers "
            f"are valid by the contract and in time, {one.full / one.questions:.2%} lack nothing."
        )
    return told


def markdown(outcome: Outcome) -> str:
    rows = [row(one, outcome.allowance_s) for one in findings(outcome)]
    table = [HEAD, ["---"] * len(HEAD), *rows]
    broken = [f"- {one}" for one in outcome.broken]
    broken += [f"- not judged, the machine was too busy: {one}" for one in outcome.late]
    if not broken:
        broken = ["The promise was kept." if outcome.is_calm else "Nothing but time, not judged."]
    parts = [
        "# Chaos",
        f"Seed {outcome.plan.seed}, {outcome.plan.minutes:g} minutes of random faults.",
        "\n".join(f"| {' | '.join(one)} |" for one in table),
        *lines(outcome),
        "## What was broken",
        "\n".join(broken),
    ]
    return "\n\n".join(parts) + "\n"


def as_json(outcome: Outcome) -> str:
    content: dict[str, Any] = {
        "seed": outcome.plan.seed,
        "minutes": outcome.plan.minutes,
        "cpu": outcome.cpu,
        "waited": outcome.waited,
        "rate": asdict(outcome.rate),
        "allowance_s": outcome.allowance_s,
        "broken": outcome.broken,
        "findings": [_plain(one) for one in (*outcome.control, *outcome.under_faults)],
        "at_rest": outcome.left_behind and asdict(outcome.left_behind),
        "told": lines(outcome),
    }
    return json.dumps(content, indent=1) + "\n"


def _plain(one: Findings) -> dict[str, Any]:
    plain: dict[str, Any] = {
        name: getattr(one, name)
        for name in (
            "name", "lane", "questions", "hung_up", "full", "statuses", "degraded", "unexpected",
            "wrong", "recovered_s", "late",
        )
    }  # fmt: skip
    plain["p50_s"], plain["p99_s"], plain["longest_s"] = map(one.quantile_s, (0.5, 0.99, 1.0))
    plain["latest_beyond_deadline_s"] = one.latest_s
    return plain


def _counted(reasons: Counter[Any]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "–"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
