"""How the demo is printed: columns that line up, and colour on a terminal only."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TextIO

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
WIDTH = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table; its style does not count towards its width."""

    text: str
    style: str = ""
    right: bool = False


@dataclass(slots=True)
class Screen:
    out: TextIO = field(default_factory=lambda: sys.stdout)

    def paint(self, text: str, style: str) -> str:
        if not style or not self.out.isatty():
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def line(self, text: str = "", style: str = "") -> None:
        print(self.paint(text, style), file=self.out, flush=True)

    def title(self, text: str) -> None:
        self.line()
        self.line(text, "bold")
        self.line("─" * WIDTH, "dim")

    def note(self, text: str) -> None:
        self.line(f"  {text}", "dim")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        widths = [
            max(len(title), *(len(row[at].text) for row in rows)) for at, title in enumerate(head)
        ]
        rights = [cell.right for cell in rows[0]]
        columns = list(zip(widths, rights, strict=True))
        titles = [Cell(title, "dim") for title in head]
        for row in (titles, *rows):
            self.line(
                "  "
                + "   ".join(self._fit(c, *column) for c, column in zip(row, columns, strict=True))
            )

    def _fit(self, cell: Cell, width: int, right: bool) -> str:  # noqa: FBT001  (a column's side)
        text = cell.text.rjust(width) if right else cell.text.ljust(width)
        return self.paint(text, cell.style)


def pounds(amount: float | Decimal | None) -> str:
    """`£ 9,412.33`, or `none` where there is no figure: none is not zero."""
    return "none" if amount is None else f"£ {Decimal(str(amount)):,.2f}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def yes_no(value: object) -> str:
    return "yes" if value else "no"
