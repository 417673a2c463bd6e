"""A long run says where it is: on a terminal a bar that moves, else one line for each measure."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_WIDTH = 24


@dataclass(slots=True)
class Progress:
    """Of a run that takes about `whole_s` in all."""

    whole_s: float
    out: TextIO = field(default_factory=lambda: sys.stderr)
    _began: float = 0.0
    _name_began: float = 0.0
    _name: str = ""
    _before_s: float = 0.0
    """What the measures before this one were thought to take."""
    _about_s: float = 0.0
    _done: float = 0.0

    def __post_init__(self) -> None:
        self._began = now_s()

    def begin(self, name: str, about_s: float) -> None:
        """The next measure."""
        self._before_s += self._about_s
        self._name, self._about_s, self._done = name, about_s, 0.0
        self._name_began = now_s()
        self.say(f"{name}: about {about_s:.0f} s{self._left()}")

    def end(self) -> None:
        """The measure is over."""
        self.say(f"  {self._name} took {now_s() - self._name_began:.0f} s")

    def advance(self, share: float) -> None:
        """So much of the measure is done."""
        self._done = share

    def step(self, what: str) -> None:
        """What is done now."""
        if self.out.isatty():
            text = f"{bar(self.share())} {self._name}: {what}{self._left()}"
            self.out.write(f"\r\x1b[2K{text[:110]}")
            self.out.flush()

    def say(self, line: str) -> None:
        """A line that stays."""
        self.out.write(("\r\x1b[2K" if self.out.isatty() else "") + line + "\n")
        self.out.flush()

    def share(self) -> float:
        """Of the whole run, by what its measures were thought to take."""
        done_s = self._before_s + self._done * self._about_s
        return min(1.0, done_s / self.whole_s) if self.whole_s else 1.0

    def _left(self) -> str:
        left_s = left(self.share(), now_s() - self._began, self.whole_s)
        return f", {left_s // 60:.0f} min {left_s % 60:.0f} s left"


def bar(share: float) -> str:
    full = round(share * _WIDTH)
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}"


def left(share: float, spent_s: float, whole_s: float) -> float:
    """Seconds: what was thought at first, and more and more what it really takes."""
    thought = max(0.0, whole_s * (1 - share))
    if share <= 0:
        return thought
    seen = spent_s / share * (1 - share)
    return share * seen + (1 - share) * thought


def now_s() -> float:
    return time.monotonic()  # noqa: TID251  (how long a person has waited)
