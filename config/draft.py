"""A document on its way to becoming settings.

What is refused is taken out, and its place remembered as broken, so that the rest can still be
judged and nothing is said about a value that was never read.
"""

from collections.abc import Iterator
from typing import Any

from config.document import Document
from config.problems import Place, Problem, dotted


class Draft:
    """The values that are left, what was found wrong so far, and where."""

    def __init__(self, document: Document) -> None:
        self.root = document.root
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._lines = document.lines
        self._broken: set[Place] = set()
        for flaw in document.flaws:
            self.refuse(flaw.place, flaw.what, flaw.instead)

    def refuse(self, place: Place, what: str, instead: str) -> None:
        """A problem with a value that is there; nothing else is said about it."""
        self.complain(place, what, instead)
        self.drop(place)
        self.doubt(_whole(place))

    def complain(self, place: Place, what: str, instead: str) -> None:
        self.problems.append(self._problem(place, what, instead))

    def warn(self, place: Place, what: str, instead: str) -> None:
        self.warnings.append(self._problem(place, what, instead))

    def doubt(self, place: Place) -> None:
        """Whatever stands here, or would stand here, is not what was meant."""
        self._broken.add(place)

    def knows(self, place: Place) -> bool:
        """Whether neither this place nor a group around it was found broken."""
        return not any(place[:depth] in self._broken for depth in range(len(place) + 1))

    def value(self, place: Place) -> Any:
        """What stands at a place; `None` if nothing does."""
        here: Any = self.root
        for step in place:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def put(self, place: Place, value: object) -> None:
        """Replace what stands at a place, or fill a gap in a group that is there."""
        group: Any = self.value(place[:-1])
        if isinstance(group, dict | list):
            group[place[-1]] = value  # type: ignore[index]  # an index for a list, a key else

    def set(self, place: Place, value: object) -> None:
        """As `put`, and makes the groups on the way that nobody wrote."""
        for depth in range(1, len(place)):
            if self.value(place[:depth]) is None:
                self.put(place[:depth], {})
        self.put(place, value)

    def drop(self, place: Place) -> None:
        """Take a value out; of a list all of it, because the others would change their places."""
        place = _whole(place)
        group = self.value(place[:-1])
        if not place:
            self.root.clear()
        elif isinstance(group, dict):
            group.pop(place[-1], None)

    def leaves(self) -> Iterator[tuple[Place, Any]]:
        """Every plain value with its place, in the order of the file; safe against changes."""
        stack: list[tuple[Place, Any]] = [((), self.root)]
        found: list[tuple[Place, Any]] = []
        while stack:
            place, here = stack.pop()
            if isinstance(here, dict):
                stack += [((*place, key), inner) for key, inner in reversed(here.items())]
            elif isinstance(here, list):
                numbered = list(enumerate(here))
                stack += [((*place, index), inner) for index, inner in reversed(numbered)]
            else:
                found.append((place, here))
        return iter(found)

    def _problem(self, place: Place, what: str, instead: str) -> Problem:
        nearest = place
        while nearest and nearest not in self._lines:
            nearest = nearest[:-1]
        return Problem(dotted(place), what, instead, self._lines.get(nearest))


def _whole(place: Place) -> Place:
    """The list that an entry belongs to; any other place is its own."""
    while place and isinstance(place[-1], int):
        place = place[:-1]
    return place
