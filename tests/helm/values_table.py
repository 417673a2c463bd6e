"""The tables of the chart's README, from the comments of `values.yaml`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SECTION = re.compile(r"^# ---- (.+?) -+$")
_KEY = re.compile(r"^( *)([A-Za-z]\w*):(?: (.*))?$")
_COMMENT = re.compile(r"^ *# ?(.*)$")


@dataclass(slots=True)
class Row:
    """One value: `path` as in `--set`, `default` as it is written; empty for a group."""

    path: str
    default: str
    meaning: str


@dataclass(slots=True)
class Section:
    title: str
    intro: str = ""
    rows: list[Row] = field(default_factory=list)


def sections(values: str) -> list[Section]:
    """Raises `ValueError` for a line that this does not read, such as a list over several lines."""
    found: list[Section] = []
    above: list[str] = []
    path: list[str] = []
    for line in values.splitlines():
        if title := _SECTION.match(line):
            found.append(Section(title[1]))
            above = []
        elif comment := _COMMENT.match(line):
            above.append(comment[1])
        elif key := _KEY.match(line):
            path = [*path[: len(key[1]) // 2], key[2]]
            found[-1].rows.append(Row(".".join(path), key[3] or "", " ".join(above)))
            above = []
        elif not line.strip():
            if found and above:
                found[-1].intro = " ".join(above)
            above = []
        else:
            raise ValueError(line)
    return found


def tables(values: str) -> str:
    return "\n".join(line for section in sections(values) for line in _table(section))


def _table(section: Section) -> Iterator[str]:
    yield from ("", f"### {section.title}", "")
    if section.intro:
        yield from (section.intro, "")
    yield from ("| value | default | what it means |", "|---|---|---|")
    for row in section.rows:
        if row.default or row.meaning:
            default = f"`{row.default}`" if row.default else ""
            meaning = row.meaning.replace("|", "\\|")
            yield f"| `{row.path}` | {default} | {meaning} |"
