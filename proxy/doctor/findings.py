"""What the doctor found: steps, and the report of a connection that they make."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"  # it serves, and something should be done all the same
    BAD = "bad"
    SKIPPED = "skipped"  # a step before it has to go well first


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what a step showed."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is wrong, and what to do about it, in our words."""

    cause: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried."""

    name: str
    """What was tried: `client certificate`, `tls bss.example.com:443`, `token`."""
    state: State = State.GOOD
    said: str = ""
    """The short of what it showed."""
    facts: tuple[Fact, ...] = ()
    advice: tuple[Advice, ...] = ()
    """Not empty when it is bad or doubtful."""

    @classmethod
    def judged(
        cls,
        name: str,
        said: str = "",
        *,
        facts: tuple[Fact, ...] = (),
        bad: tuple[Advice, ...] = (),
        doubtful: tuple[Advice, ...] = (),
    ) -> "Step":
        """Bad when there is a reason for it, else doubtful when there is one for that."""
        state = State.BAD if bad else State.DOUBTFUL if doubtful else State.GOOD
        return cls(name=name, state=state, said=said, facts=facts, advice=bad + doubtful)

    @classmethod
    def skipped(cls, name: str, because: str) -> "Step":
        return cls(name=name, state=State.SKIPPED, said=f"not tried: {because}")


@dataclass(slots=True)
class Report:
    """The steps of one connection, in the order in which they were taken."""

    connection: str
    vendor: str
    steps: list[Step] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return self.count(State.BAD) == 0

    def count(self, state: State) -> int:
        return sum(step.state is state for step in self.steps)

    def advice(self) -> Iterator[Advice]:
        for step in self.steps:
            yield from step.advice


@dataclass(slots=True)
class Reports:
    """All that was examined."""

    connections: list[Report] = field(default_factory=list)
    cache: Report | None = None
    """`None`: it was not examined, or needs nothing."""

    @property
    def every(self) -> list[Report]:
        return [*self.connections, *([self.cache] if self.cache else [])]

    @property
    def is_good(self) -> bool:
        return all(report.is_good for report in self.every)


def printable(text: str) -> str:
    """Text of others, as of a certificate, with nothing in it that could move a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)[:200]
