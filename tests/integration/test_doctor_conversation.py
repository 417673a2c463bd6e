"""The doctor's token and its question: what is asked, and what is said when there is no answer."""

from pathlib import Path

import pytest

from adapters.simulator import faults
from adapters.simulator.certificates import Authority
from adapters.simulator.vendor import SimulatedVendor
from proxy.doctor.findings import State
from tests.integration.connecting import Bench, authority, bench, data, folder, vendor
from tests.integration.examining import examined, examined_at, ill, step_of

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures


async def test_a_wrong_secret(bench: Bench, vendor: SimulatedVendor, folder: Path) -> None:
    (folder / "secret").write_text("canary-of-yesterday")
    report = await examined_at(bench, vendor)
    advice = ill(report, "token")
    assert advice.cause == (
        "the token endpoint: HTTP 401 invalid_client: the issuer does not accept our client id or "
        "client secret"
    )
    assert f"the secret in {folder / 'secret'}" in advice.cure
    assert step_of(report, "question").state is State.SKIPPED


@pytest.mark.parametrize(
    ("method", "cure"),
    [("tls_client_auth", "subject (or names)"), ("private_key_jwt", "signing_key_id")],
)
async def test_a_client_that_the_issuer_does_not_know(
    bench: Bench,
    vendor: SimulatedVendor,
    method: str,
    cure: str,
    authority: Authority,
    folder: Path,
) -> None:
    authority.issue_client("stranger").write(folder, "client")
    setting = bench.setting(vendor.base_url, vendor.token_url, method=method)
    assert setting.oauth2 is not None
    oauth2 = setting.oauth2.model_copy(update={"client_id": "canary-stranger"})
    report = await examined(setting.model_copy(update={"oauth2": oauth2}))
    assert cure in ill(report, "token").cure


async def test_a_wrong_path_of_the_token_endpoint(bench: Bench, vendor: SimulatedVendor) -> None:
    report = await examined(bench.setting(vendor.base_url, vendor.base_url + "nothing"))
    assert not report.is_good
    assert step_of(report, "token").state is State.BAD


@pytest.mark.parametrize(
    ("fault", "cause", "cure"),
    [
        (faults.Status(where="token", status=500), "HTTP 500", "the issuer is in trouble"),
        (faults.Garbage(where="token"), "not a JSON object", "oauth2.token_url"),
        (faults.Redirect(where="token"), "HTTP 302", "final address into oauth2.token_url"),
        (faults.GzipBomb(where="token"), "larger than", ""),
    ],
)
async def test_a_token_endpoint_that_gives_no_token(
    bench: Bench, vendor: SimulatedVendor, fault: faults.Fault, cause: str, cure: str
) -> None:
    await vendor.faults.set(fault)
    advice = ill(await examined_at(bench, vendor), "token")
    assert cause in advice.cause
    assert cure in advice.cure


@pytest.mark.parametrize(
    ("fault", "cause", "cure"),
    [
        (faults.Status(status=401), "refuses the token that the issuer has just given", "scope"),
        (faults.Status(status=403), "HTTP 403", "does not allow this API"),
        (faults.Status(status=400), "HTTP 400", "settings under tmf"),
        (faults.Status(status=503), "HTTP 503", "in trouble"),
        (faults.TooMany(), "HTTP 429", "wire.concurrency"),
        (faults.Status(status=404), "check the API's base URL", "base_url or apis"),
        (faults.Garbage(kind="html"), "the content type is not JSON", "of a web page"),
        (faults.Redirect(), "HTTP 302, a redirect", "final address into base_url"),
        (faults.Reset(), "the reply broke off", "the steps above"),
    ],
)
async def test_a_vendor_that_does_not_answer_the_question(
    bench: Bench, vendor: SimulatedVendor, fault: faults.Fault, cause: str, cure: str
) -> None:
    await vendor.faults.set(fault)
    advice = ill(await examined_at(bench, vendor), "question")
    assert cause in advice.cause
    assert cure in advice.cure


async def test_a_vendor_that_ignores_its_filters(bench: Bench, vendor: SimulatedVendor) -> None:
    await vendor.faults.set(faults.IgnoredFilter())
    advice = ill(await examined_at(bench, vendor), "question")
    assert "tmf" in advice.cure


async def test_what_is_slower_than_the_settings_allow_is_a_warning(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    await vendor.faults.set(faults.Latency(delay_s=0.05))
    report = await examined_at(bench, vendor, wire={"exchange_timeout": "10ms"})
    assert report.is_good
    slow = step_of(report, "question")
    assert slow.state is State.DOUBTFUL
    assert "wire.exchange_timeout allows 10 ms" in slow.advice[0].cause


async def test_one_token_is_asked_for_and_one_question_and_both_are_harmless(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    await examined_at(bench, vendor)
    seen = [(one.kind, one.method) for one in vendor.traffic.requests]
    assert seen == [("token", "POST"), ("product", "GET"), ("customer", "GET")]
