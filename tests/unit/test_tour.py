"""What `docs/tour.md` tells a newcomer to type is there."""

import argparse
import re
from pathlib import Path

import pytest

from proxy.cli import parser
from proxy.demo.play import Play
from proxy.demo.stage import Ports
from proxy.http.openapi import document

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
TYPED = TEXT.replace("\\\n", " ")
COMMANDS = re.findall(r"bss-sidecar ([a-z].*?)`|^\.venv/bin/bss-sidecar (.+)$", TYPED, re.MULTILINE)
ASKED = re.findall(r"localhost:(\d+)(/\S*)", TYPED)
LINKS = re.findall(r"\]\(((?!\.\.)[^)#]+)\)", TEXT)


def test_it_tells_of_commands_routes_and_files() -> None:
    assert len(COMMANDS) >= 5
    assert len(ASKED) >= 5
    assert len(LINKS) >= 8


@pytest.mark.parametrize("command", sorted({named or typed for named, typed in COMMANDS}))
def test_each_command_is_one(command: str) -> None:
    asked = parser().parse_args(command.split())
    assert isinstance(asked, argparse.Namespace)


def test_each_target_is_made_by_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make ([a-z]+)", TYPED, re.MULTILINE))
    assert targets == {"demo"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "$(if $(KEEP)" in makefile


@pytest.mark.parametrize(("port", "path"), sorted(set(ASKED)))
def test_each_route_is_on_that_listener_of_the_demo(port: str, path: str) -> None:
    ports = Ports()
    demo = [route.path for route in Play({}, "").extension().routes]
    routes = {ports.data: [*document(batch_ids=200)["paths"]], ports.admin: demo}[int(port)]
    ways = [re.sub(r"{[a-z_]+}", "[^/]+", one) for one in routes]
    assert any(re.fullmatch(way, path) for way in ways)


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_each_file_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
