"""`bss-sidecar demo`, started as a person starts it, and everything that it starts itself."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path

import aiohttp
import pytest

from adapters.simulator.population import customer_id
from proxy.demo.stage import TENANTS, Ports, StageFailed

LIMIT_S = 60


async def start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "proxy", "demo", *arguments),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def said_until(demo: Process, beginning: str) -> list[str]:
    """The lines up to the one that begins so."""
    assert demo.stdout
    lines: list[str] = []
    async with asyncio.timeout(LIMIT_S):
        async for line in demo.stdout:
            lines.append(line.decode().rstrip())
            if lines[-1].startswith(beginning):
                return lines
    raise AssertionError("\n".join(lines))


async def test_the_demo_shows_an_outage_and_a_recovery_and_ends_well() -> None:
    demo = await start()
    output, _ = await asyncio.wait_for(demo.communicate(), LIMIT_S)
    text = output.decode()
    assert demo.returncode == 0, text
    assert "✗" not in text
    for tenant in TENANTS:
        assert text.count(f"  {tenant} ") >= 8
    assert re.search(r"BSS-Degraded: deadline;unavailable=\d+", text)
    assert "Right again after" in text
    assert "\x1b" not in text, "colour is for terminals"
    assert max(len(line) for line in text.splitlines()) <= 110


async def test_a_demo_that_is_kept_answers_until_it_is_told_to_end() -> None:
    try:
        Ports().check()
    except StageFailed as taken:
        pytest.skip(str(taken))
    demo = await start("--keep")
    try:
        lines = await said_until(demo, "demo ready")
        assert any(line.strip().startswith("curl ") for line in lines)
        children = [
            int(found[1]) for line in lines if (found := re.search(r"process (\d+), log", line))
        ]
        assert len(children) == 4
        text = "\n".join(lines)
        assert "  http://127.0.0.1:8652/" in lines
        for words in ("Cut, Slow, Restore", "Rotate the certificate", "status --watch"):
            assert words in text
        async with aiohttp.ClientSession() as session:
            for tenant in TENANTS:
                url = f"http://127.0.0.1:8650/v1/customers/{customer_id(tenant, 0)}/billing-account"
                async with session.get(url, headers={"X-Tenant-ID": tenant}) as reply:
                    assert reply.status == 200
            await another_certificate_is_taken_up(session)
    finally:
        demo.send_signal(signal.SIGTERM)
        rest, _ = await asyncio.wait_for(demo.communicate(), LIMIT_S)
    assert demo.returncode == 0, rest.decode()
    assert [pid for pid in children if is_running(pid)] == []


async def another_certificate_is_taken_up(session: aiohttp.ClientSession) -> None:
    admin = "http://127.0.0.1:8652/v1"
    async with session.post(f"{admin}/demo/certificate", json={}) as reply:
        assert reply.status == 200
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with session.get(f"{admin}/status") as reply:
                shown = (await reply.json())["connections"]
            if all(shown[name]["credentials_version"] == 2 for name in ("amdocs", "csg")):
                return
            await asyncio.sleep(0.1)


async def test_a_kept_demo_whose_ports_are_taken_says_so_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(StageFailed, match=str(port)):
            Ports(data=port).check()
