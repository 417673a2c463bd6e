"""The doctor at work in tests: reports in which no secret may be, and what they say."""

import json
from typing import Any

from adapters.lookup import wall_clock
from adapters.simulator.vendor import SimulatedVendor
from config.settings import Connection
from proxy.check import Paint
from proxy.doctor.examination import examine
from proxy.doctor.findings import Advice, Report, Reports, State, Step
from proxy.doctor.patient import Patient
from proxy.doctor.printing import as_json, report_lines
from tests.integration.connecting import Bench


async def examined(setting: Connection) -> Report:
    """The report, in which no secret and nothing of a token is to be found."""
    patient = Patient(name="acme", setting=setting, tenant="acme_demo", clock=wall_clock)
    report = await examine(patient)
    told = "\n".join(report_lines(report, Paint(on=False))) + json.dumps(as_json(Reports([report])))
    assert "canary" not in told
    assert "PRIVATE KEY" not in told
    return report


async def examined_at(bench: Bench, vendor: SimulatedVendor, **more: Any) -> Report:
    return await examined(bench.setting(vendor.base_url, vendor.token_url, **more))


def step_of(report: Report, name: str) -> Step:
    return next(step for step in report.steps if step.name.startswith(name))


def ill(report: Report, name: str) -> Advice:
    """What is said about the one step that is bad; what comes after it was not tried."""
    bad = [step for step in report.steps if step.state is State.BAD]
    assert [step.name.startswith(name) for step in bad] == [True], bad
    assert not report.is_good
    (advice,) = bad[0].advice
    return advice
