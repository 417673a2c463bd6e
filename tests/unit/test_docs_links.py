"""What the documents name is there: links, anchors, commands of ours, targets of make."""

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from proxy.command_line import parser
from tests.project_files import project_files

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^ *(`{3,}|~{3,})[^\n]*\n.*?^ *\1 *$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_BY_NAME = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_COMMAND = re.compile(
    r"(?:^|[\s`(\"])(?<!user )bss-sidecar +([a-z][a-z-]*(?![\w/.-])[^`|&;<>#\n)\"]*)", re.MULTILINE
)
_MAKE = re.compile(r"(?:^|[\s`(])make ((?:[A-Z0-9]+=\S+ )*)([a-z][a-z-]*)", re.MULTILINE)


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    return project_files("*.md")


DOCUMENTS = documents()


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def anchors(path: Path) -> frozenset[str]:
    """As GitHub makes them of headings; the second of a name is called `name-1`."""
    seen: dict[str, int] = {}
    made = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text(path)))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", _FENCE.sub("", text(path)), re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown).lower().replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        made.add(f"{slug}-{number}" if number else slug)
    return frozenset(made)


def links(path: Path) -> Iterator[str]:
    """Those that lead to files of ours, or to an anchor."""
    shown = _INLINE.sub("`", _FENCE.sub("", text(path)))
    for link in (*_LINK.findall(shown), *_BY_NAME.findall(shown)):
        if not _ELSEWHERE.match(link):
            yield unquote(link)


def broken(path: Path) -> Iterator[str]:
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.is_relative_to(ROOT) or not target.exists():
            yield f"{link}: no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{link}: no such heading"


def commands(path: Path) -> Iterator[str]:
    """What stands as code and begins with our program's name: words up to the first comment."""
    for block in _FENCE.finditer(text(path)):
        yield from _COMMAND.findall(block[0])
    for code in _INLINE.findall(_FENCE.sub("", text(path))):
        yield from _COMMAND.findall(code)


@cache
def subparsers(of: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    found = [one for one in of._actions if isinstance(one, argparse._SubParsersAction)]
    return found[0].choices if found else {}


def misspelt(command: str) -> str:
    """The first word or option of a command that our command line does not know; or empty."""
    words = shlex.split(re.split(r"[^\x20-\x7e]|\[|\s{2,}", command)[0])
    reader = parser()
    for word in words:
        choices = subparsers(reader)
        if choices and not word.startswith("-"):
            if word not in choices:
                return word
            reader = choices[word]
    known = {option for action in reader._actions for option in action.option_strings}
    return next((word for word in words if word.startswith("--") and word not in known), "")


def targets() -> frozenset[str]:
    return frozenset(
        re.findall(
            r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file_and_heading_that_is_there(path: Path) -> None:
    assert [*broken(path)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_command_of_ours_is_one_that_the_command_line_knows(path: Path) -> None:
    assert [(one, wrong) for one in commands(path) if (wrong := misspelt(one))] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_target_of_make_is_in_the_makefile(path: Path) -> None:
    code = [one[0] for one in _FENCE.finditer(text(path))]
    code += _INLINE.findall(_FENCE.sub("", text(path)))
    named = {target for one in code for _, target in _MAKE.findall(one)}
    assert named - targets() == set()


def test_the_index_of_the_documentation_names_every_page_of_it() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert set((ROOT / "docs").glob("*.md")) - linked - {index} == set()


def test_these_tests_see_what_the_documents_say() -> None:
    """A pattern that finds nothing finds no mistake either."""
    assert sum(len([*links(path)]) for path in DOCUMENTS) > 60
    assert sum(len([*commands(path)]) for path in DOCUMENTS) > 60
    assert {"bsssidecarmissing", "how-to-look"} <= anchors(ROOT / "docs/runbook.md")
    assert misspelt("braker amdocs open") == "braker"
    assert misspelt("certs renew") == "renew"
    assert misspelt("status --wach") == "--wach"
    assert misspelt("breaker amdocs open --breaker token") == ""
