"""`bss-sidecar status` before a real admin listener."""

import asyncio
import io
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from proxy.http.ports import Status
from proxy.status_command import Look, Terminal, lasting, lines, run_status
from proxy.telemetry.history import BUCKETS, COLUMNS
from tests.unit.http.doubles import NOW, Client
from tests.unit.http.test_ops_and_admin import STATUS, admin
from tests.unit.test_breaker_command import somebody_else

HISTORY = {
    "questions": 12,
    "degraded": 0,
    "reasons": {},
    "not_closed_since": {},
    "changes": [],
    "buckets": BUCKETS,
    "bucket": 1000,
    "columns": COLUMNS,
    "rows": [[1000, 12, 0, 0, 1.5, 4.0, 9, 0, 0, 18.0, 42.0, 3, 9]],
}
GOOD = replace(STATUS, configuration="good", problems=[], connections={"v": {"history": HISTORY}})
OPEN = {"state": "open", "opens_for_s": 4.2, "because": "unreachable: refused"}
BAD = replace(
    GOOD,
    connections={
        "v": {
            "breakers": {"vendor": OPEN},
            "history": {**HISTORY, "not_closed_since": {"vendor": NOW.isoformat()}},
        }
    },
)


@dataclass
class Watcher:
    """Ends a watch after so many looks."""

    looks: int = 1
    width: int | None = None
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    def pause(self, _seconds: float) -> None:
        self.looks -= 1
        if not self.looks:
            raise KeyboardInterrupt

    async def look(self, client: Client | int | None, *, colours: bool = False, **more: Any) -> int:
        terminal = Terminal(
            out=self.out, err=self.err, colours=colours, width=self.width, pause=self.pause
        )
        base = client.base if isinstance(client, Client) else f"http://127.0.0.1:{client or 1}"
        look = Look(admin=base, **more)
        return await asyncio.to_thread(run_status, look, env={}, terminal=terminal)


async def test_all_well_is_0_and_shows_each_connection() -> None:
    watcher = Watcher()
    async with admin(GOOD) as client:
        assert await watcher.look(client) == 0
    text = watcher.out.getvalue()
    assert text.startswith("● All is well\n")
    assert "12, all whole" in text
    assert "25% hits" in text
    assert "1.5 ms, 4 ms" in text
    assert "\x1b" not in text, "colours are for terminals"


async def test_something_broken_is_1_and_says_what_why_and_what_to_do() -> None:
    watcher = Watcher()
    async with admin(BAD) as client:
        assert await watcher.look(client, colours=True) == 1
    text = watcher.out.getvalue()
    for words in (
        "v is broken",
        "its breaker is open",
        "(for 0 s, since 2026-03-01 12:00:00 UTC)",
        "why        unreachable: refused",
        "type       bss-sidecar doctor --connection v",
    ):
        assert words in text
    assert "\x1b[31m■" in text


async def test_json_is_the_status_itself() -> None:
    watcher = Watcher()
    async with admin(BAD) as client:
        assert await watcher.look(client, json=True) == 1
    assert json.loads(watcher.out.getvalue())["summary"]["headline"] == "v is broken"


async def test_no_sidecar_is_69_in_one_line() -> None:
    watcher = Watcher()
    assert await watcher.look(None) == 69
    assert watcher.err.getvalue().startswith("bss-sidecar status: no sidecar answers at http://")


async def test_a_watch_looks_again_until_it_is_interrupted() -> None:
    watcher = Watcher(looks=3)
    async with admin(GOOD) as client:
        with pytest.raises(KeyboardInterrupt):
            await watcher.look(client, watch=True, json=True)
    assert len(watcher.out.getvalue().splitlines()) == 3


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_no_line_but_what_is_to_be_typed_is_wider_than_the_terminal(width: int) -> None:
    told = list(lines(await shown(BAD), width=width))
    assert max(len(line) for line in told if not line.startswith("  type")) <= width
    words = " ".join(" ".join(told).split())
    for said in ("v is broken", "since 2026-03-01 12:00:00 UTC", "Ask whether it is up."):
        assert said in words, "what does not fit is told on the next line"
    assert any(line.startswith(" " * 13) for line in told) == (width < 120)


async def test_a_narrow_terminal_does_without_the_columns_that_matter_least() -> None:
    status = await shown(BAD)
    wide, narrow = (list(lines(status, width=width))[-2:] for width in (200, 70))
    for column in ("answers, 10 min", "certificate", "token"):
        assert column in wide[0]
        assert column not in narrow[0]
    for told in (wide, narrow):
        assert told[0].split()[:3] == ["connection", "state", "breakers"]
        assert told[1].split()[:5] == ["■", "v", "broken", "vendor", "open"]


async def test_a_watch_on_a_terminal_clears_it_also_without_colours() -> None:
    watcher = Watcher(looks=2, width=100)
    async with admin(GOOD) as client:
        with pytest.raises(KeyboardInterrupt):
            await watcher.look(client, watch=True)
    assert watcher.out.getvalue().count("\x1b[H\x1b[J") == 2
    assert "\x1b[3" not in watcher.out.getvalue()


async def shown(status: Status) -> dict[str, Any]:
    async with admin(status) as client, client.ask("GET", "/v1/status") as answer:
        told: dict[str, Any] = await answer.json()
        return told


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (99, "99 s"), (100, "1 min"), (6000, "1 h 40 min"), (7200, "2 h")],
)
def test_a_time_has_two_units_at_most(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


async def test_what_answers_and_is_no_sidecar_is_69_in_one_line() -> None:
    watcher = Watcher()
    with somebody_else(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as port:
        assert await watcher.look(port) == 69
    assert watcher.err.getvalue().endswith("is no sidecar\n")
