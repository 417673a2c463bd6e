"""Each alert in a real run of its fault: sidecars that fail, and a Prometheus that watches them.

One run for all: it takes about half a minute, and what it leaves in Prometheus is what the queries
of the dashboard are tried on.
"""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from adapters.lookup import wall_clock
from tests.alerts.prometheus import Prometheus, is_installed, prometheus
from tests.alerts.rules import DASHBOARD, alerts
from tests.alerts.scenes import FAULTS, WELL, Scenes, provoke, scenes

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="prometheus is not installed"),
    pytest.mark.skipif(os.environ.get("ALERTS") != "full", reason="make alerts runs it"),  # noqa: TID251  (a test knob)
    pytest.mark.asyncio(loop_scope="module"),
]
WITHIN_S = 150.0
"""It takes a fifth of that, unless others keep the machine busy."""
WELL_FOR_S = 6.0
RUN_S = 60.0
"""Of which a panel draws."""
WINDOW_S = 300
ABOUT_THE_MACHINE = {
    "BssSidecarLoopLag",
    "BssSidecarSlaBurnFast",
    "BssSidecarSlaBurnSlow",
    "BssSidecarDegraded",  # a budget that ended before the vendor, in this process, was heard
}
"""What these say of a sidecar that is well is true, where more wants to run than there are CPUs."""
_POLL_S = 0.5
_VARIABLES = {"$namespace": ".*", "$instance": ".*", "$connection": ".*", "$__rate_interval": "10s"}


@dataclass(slots=True)
class Run:
    prometheus: Prometheus
    fired: dict[str, set[str]] = field(default_factory=dict)
    """In which namespaces each alert fired."""
    said: list[str] = field(default_factory=list)
    """What the alerts said."""
    took_s: dict[str, float] = field(default_factory=dict)
    """Until each fired where it should."""

    async def look(self) -> None:
        for alert in await self.prometheus.alerts():
            if alert["state"] == "firing":
                where = self.fired.setdefault(alert["labels"]["alertname"], set())
                where.add(alert["labels"].get("namespace", "cluster"))
                self.said += alert["annotations"].values()

    @property
    def missing(self) -> list[str]:
        return [name for name, where in FAULTS.items() if where not in self.fired.get(name, set())]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    folder = tmp_path_factory.mktemp("alerts")
    async with prometheus(folder, window_s=WINDOW_S) as watching, scenes(folder, watching) as made:
        seen = Run(watching)
        async with asyncio.TaskGroup() as tasks:
            well = tasks.create_task(made.keep_asking(WELL, "amdocs_demo", "amdocs", pause_s=0.2))
            await made.pod(WELL).ask("GET", "/nowhere")
            troubles = await provoke(made, tasks)
            await _watch(made, seen)
            for one in (well, *troubles):
                one.cancel()
        yield seen


async def _watch(made: Scenes, seen: Run) -> None:
    """Until all have fired that should, or until it is too late."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while clock() < began + WITHIN_S:
        missing = seen.missing
        await seen.look()
        for one in set(missing).difference(seen.missing):
            seen.took_s[one] = clock() - began
        if "BssSidecarUnwatched" in seen.fired:
            made.kubernetes.shows_labels = True
        if not seen.missing and clock() > began + WELL_FOR_S:
            return
        await asyncio.sleep(_POLL_S)


async def test_every_alert_has_a_fault_that_is_tried() -> None:
    assert {alert["alert"] for alert in alerts()} == set(FAULTS)


async def test_every_alert_fires_in_a_real_run_of_its_fault(run: Run) -> None:
    told = [f"{took:5.1f} s  {name}" for name, took in run.took_s.items()]
    print("\n" + "\n".join(told))  # noqa: T201  (pytest -s shows how long each took)
    assert run.missing == []


async def test_a_sidecar_that_is_well_fires_none(run: Run) -> None:
    fired = {name for name, where in run.fired.items() if WELL in where}
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        fired -= ABOUT_THE_MACHINE
    assert fired == set()
    (questions,) = await run.prometheus.query(
        f'sum(bss_sidecar_questions_total{{namespace="{WELL}"}})'
    )
    assert float(questions["value"][1]) > 20, "it was asked"


async def test_what_an_alert_says_is_whole(run: Run) -> None:
    assert [text for text in run.said if "error" in text.lower() and "expanding" in text] == []
    assert [text for text in run.said if "<no value>" in text] == []


async def test_no_rule_fails(run: Run) -> None:
    assert [rule for rule in await run.prometheus.rules() if rule["health"] != "ok"] == []


async def test_every_query_of_the_dashboard_returns_figures_of_that_run(run: Run) -> None:
    empty = []
    now = wall_clock().timestamp()
    for title, expression in _queries():
        drawn = await run.prometheus.figures(expression, until=now, back_s=RUN_S)
        if not any(map(math.isfinite, drawn)):
            empty.append((title, expression))
    assert empty == []


async def test_every_variable_of_the_dashboard_has_something_to_choose(run: Run) -> None:
    asked = 0
    for variable in _dashboard()["templating"]["list"]:
        if variable["type"] != "query":
            continue
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert found is not None
        query = found[1].replace("$namespace", ".*")
        assert {one["metric"][found[2]] for one in await run.prometheus.query(query)}
        asked += 1
    assert asked == 3


def _dashboard() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def _queries() -> Iterator[tuple[str, str]]:
    for panel in _dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], re.sub(r"\$\w+", lambda one: _VARIABLES[one[0]], target["expr"])
