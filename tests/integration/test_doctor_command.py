"""`bss-sidecar doctor` as an operator runs it, against what the demo sets up."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.lookup import wall_clock
from proxy.demo.children import children
from proxy.demo.stage import Ports, Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Pretend vendors and a database; no sidecar, for the doctor needs none."""
    async with aiohttp.ClientSession() as session, children(tmp_path) as processes:
        one = Stage(tmp_path, Ports.free(), processes, session)
        await one.prepare(wall_clock())
        await one.start_vendors()
        yield one


def doctor(stage: Stage, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "proxy", "doctor", str(stage.configuration_file)]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


async def test_the_demo_is_well_and_a_secret_that_was_rotated_elsewhere_is_found(
    stage: Stage,
) -> None:
    well = doctor(stage)
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.endswith("5 connections well\n")
    secrets = [file.read_text() for file in stage.folder.glob("*-secret")]
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in well.stdout]

    (stage.folder / "amdocs-secret").write_text("yesterday-4711")
    ill = doctor(stage, "--json", "--connection", "amdocs")
    assert (ill.returncode, ill.stderr) == (1, "")
    assert "yesterday-4711" not in ill.stdout
    (report,) = json.loads(ill.stdout)["connections"]
    bad: list[Any] = [step for step in report["steps"] if step["state"] == "bad"]
    assert [step["name"] for step in bad] == ["token"]
    assert "invalid_client" in bad[0]["advice"][0]["cause"]
    assert "amdocs-secret" in bad[0]["advice"][0]["cure"]
