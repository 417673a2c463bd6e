"""`bss-sidecar breaker` before a real admin listener: what it shows, does, and says to do next."""

import asyncio
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from proxy import cli
from proxy.breaker_command import Wish, run_breaker
from tests.unit.http.doubles import Client
from tests.unit.http.test_breaker_route import OPEN
from tests.unit.http.test_ops_and_admin import STATUS, OperatorDouble, admin

STATUS_OF_TWO = replace(
    STATUS,
    connections={
        "vendor": {"breakers": {"vendor": OPEN, "token": {"state": "closed", "calls": 0}}},
        "mock": {"in_flight": 0},
    },
)


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


async def typed(wish: Wish, client: Client | None = None) -> Answer:
    """What comes of it, in a thread: the command waits for its answer, and the listener is ours."""
    out, err = io.StringIO(), io.StringIO()
    if client is not None:
        wish = replace(wish, admin=client.base)
    code = await asyncio.to_thread(run_breaker, wish, env={}, out=out, err=err)
    return Answer(code, out.getvalue(), err.getvalue())


async def test_without_a_state_it_shows_what_every_breaker_does_and_why() -> None:
    async with admin(STATUS_OF_TWO) as client:
        answer = await typed(Wish(), client)
    assert (answer.code, answer.err) == (0, "")
    head, first, second = answer.out.splitlines()
    assert head.split() == ["connection", "breaker", "state", "why"]
    assert first.startswith("vendor      vendor   open: nothing leaves for another 4.2 s")
    assert first.endswith("unreachable: 6 of 10 exchanges <failed> in 10 s")
    assert second == "vendor      token    closed: traffic flows"


async def test_one_connection_by_itself_and_as_json() -> None:
    async with admin(STATUS_OF_TWO) as client:
        shown = await typed(Wish(connection="vendor", json=True), client)
        none = await typed(Wish(connection="mock"), client)
        unknown = await typed(Wish(connection="vendr"), client)
    assert json.loads(shown.out)["vendor"]["vendor"]["state"] == "open"
    assert (none.code, none.out) == (0, "no connection has a breaker\n")
    assert unknown.code == 1
    assert "there are: vendor, mock" in unknown.err


async def test_forcing_one_says_what_it_means_and_what_to_type_to_undo_it() -> None:
    operator = OperatorDouble()
    async with admin(STATUS, operator) as client:
        opened = await typed(Wish(connection="vendor", wanted="open"), client)
        closed = await typed(Wish(connection="vendor", wanted="closed"), client)
    assert [asked[:3] for asked in operator.asked] == [
        ("vendor", "vendor", "open"),
        ("vendor", "vendor", "closed"),
    ]
    assert (opened.code, opened.err) == (0, "")
    assert "vendor: vendor: forced open by an operator" in opened.out
    assert "Nothing is sent through it" in opened.out
    assert "  bss-sidecar breaker vendor auto\n" in opened.out
    assert "one pod" in opened.out
    assert "whatever fails" in closed.out


async def test_auto_gives_it_back() -> None:
    operator = OperatorDouble()
    async with admin(STATUS, operator) as client:
        answer = await typed(Wish(connection="vendor", wanted="auto"), client)
        as_json = await typed(Wish(connection="vendor", wanted="auto", json=True), client)
    assert operator.asked[0][:3] == ("vendor", "vendor", None)
    assert "vendor: vendor: closed: traffic flows\nIt decides by itself.\n" in answer.out
    assert json.loads(as_json.out) == {"state": "closed"}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(connection="amdox", wanted="open"), "There is no such connection: there are: vendor"),
        (Wish(connection="ämdox x", wanted="open"), "There is no such connection: there are: "),
        (
            Wish(connection="vendor", wanted="open", breaker="fuse"),
            "The connection has no such breaker: there are: vendor",
        ),
    ],
)
async def test_what_is_not_there_is_told_with_what_there_is(wish: Wish, words: str) -> None:
    async with admin(STATUS) as client:
        answer = await typed(wish, client)
    assert (answer.code, answer.out) == (1, "")
    assert words in answer.err


def test_where_nobody_listens_it_says_where_it_looked_and_ends_with_69() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        out, err = io.StringIO(), io.StringIO()
        wish = Wish(admin=f"http://127.0.0.1:{port}")
        assert run_breaker(wish, env={}, out=out, err=err) == 69
    assert (
        f"no sidecar answers at http://127.0.0.1:{port} (ConnectionRefusedError)" in err.getvalue()
    )
    assert out.getvalue() == ""


@contextmanager
def somebody_else(answer: bytes) -> Iterator[int]:
    """A port at which something else answers once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            one, _ = server.accept()
            with one:
                one.recv(4096)
                one.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no sidecar answers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "is no sidecar"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "is no sidecar"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}', "is no sidecar"),
        (b"HTTP/1.1 502 Oops\r\nContent-Length: 2\r\n\r\n{}", "is no sidecar"),
    ],
)
def test_whatever_else_answers_there_is_not_taken_for_a_sidecar(answer: bytes, words: str) -> None:
    err = io.StringIO()
    with somebody_else(answer) as port:
        wish = Wish(admin=f"http://127.0.0.1:{port}")
        assert run_breaker(wish, env={}, out=io.StringIO(), err=err) in {1, 69}
    assert words in err.getvalue()


async def test_the_configuration_says_where_the_listener_is(tmp_path: Path) -> None:
    file = tmp_path / "sidecar.yaml"
    async with admin(STATUS_OF_TWO) as client:
        port = client.listener.bound.port
        file.write_text(
            f"schema_version: 1\nlisteners: {{admin: {{port: {port}}}}}\nconnections: {{a: b}}\n"
        )
        answer = await typed(Wish(file=file))
    assert answer.code == 0, "a configuration that has become bad elsewhere still says where"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(admin="https://127.0.0.1:8652"), "--admin is a URL"),
        (Wish(admin="127.0.0.1:8652"), "--admin is a URL"),
        (Wish(file=Path("any-port.yaml")), "--admin http://127.0.0.1:PORT"),
    ],
)
def test_an_address_that_is_none_ends_with_2(
    wish: Wish, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("any-port.yaml").write_text("schema_version: 1\nlisteners: {admin: {port: 0}}\n")
    err = io.StringIO()
    assert run_breaker(wish, env={}, out=io.StringIO(), err=err) == 2
    assert words in err.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [["vendor", "ajar"], ["vendor", "open", "now"], ["--admin", "http://a", "--file", "b"]],
)
def test_a_wrong_command_line_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["breaker", *arguments])
    assert ended.value.code == 2


async def test_the_command_line_becomes_the_wish(capsys: pytest.CaptureFixture[str]) -> None:
    operator = OperatorDouble()
    arguments = ["breaker", "vendor", "open", "--breaker", "token", "--admin"]
    async with admin(STATUS, operator) as client:
        code: Any = await asyncio.to_thread(cli.main, [*arguments, client.base])
    assert code == 1
    assert operator.asked[0][:3] == ("vendor", "token", "open")
    assert "there are: vendor" in capsys.readouterr().err
