"""The doctor against a pretend vendor: each ill names its cause and its cure, and no secret."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.lookup import wall_clock
from adapters.simulator import faults
from adapters.simulator.certificates import Authority, Validity
from adapters.simulator.tls import VendorTls
from adapters.simulator.vendor import SimulatedVendor
from proxy.doctor.findings import Report, State
from proxy.doctor.reaching import Endpoint
from tests.integration.connecting import Bench, authority, bench, data, folder, vendor
from tests.integration.examining import examined, ill, step_of

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures


async def examined_at(bench: Bench, vendor: SimulatedVendor, **more: Any) -> Report:
    return await examined(bench.setting(vendor.base_url, vendor.token_url, **more))


def past() -> Validity:
    now = wall_clock()
    return Validity(not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))


def future() -> Validity:
    now = wall_clock()
    return Validity(not_before=now + timedelta(days=1), not_after=now + timedelta(days=9))


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "tls_client_auth", "private_key_jwt"]
)
async def test_a_vendor_that_is_well_passes_every_step(
    bench: Bench, vendor: SimulatedVendor, method: str
) -> None:
    report = await examined_at(bench, vendor, method=method)
    assert {step.state for step in report.steps} == {State.GOOD}
    names = [step.name.split()[0] for step in report.steps]
    assert names[:2] == ["client", "client"]
    assert names[-4:] == ["tcp", "tls", "token", "question"]


async def test_a_certificate_is_shown_with_subject_names_issuer_dates_usage_and_chain(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    report = await examined_at(bench, vendor)
    own = {fact.label: fact.text for fact in step_of(report, "client certificate").facts}
    assert own["subject"] == "CN=sidecar"
    assert own["names"] == "sidecar"
    assert own["issuer"] == "CN=Throwaway CA intermediate"
    assert own["usage"] == "clientAuth"
    assert own["chain"] == "issued by CN=Throwaway CA intermediate"
    assert "29 days left" in own["valid"]
    theirs = {fact.label: fact.text for fact in step_of(report, "tls").facts}
    assert theirs["names"] == "localhost, 127.0.0.1, ::1"
    assert theirs["usage"] == "serverAuth"
    assert "CN=Throwaway CA intermediate" in theirs["chain"]
    assert step_of(report, "tls").said.startswith("TLSv1.3, TLS_")


async def test_one_token_is_asked_for_and_one_question_and_both_are_harmless(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    await examined_at(bench, vendor)
    seen = [(one.kind, one.method) for one in vendor.traffic.requests]
    assert seen == [("token", "POST"), ("product", "GET"), ("customer", "GET")]


async def test_an_expired_certificate(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    authority.issue_client("sidecar", validity=past()).write(folder, "client")
    report = await examined_at(bench, vendor)
    advice = ill(report, "client certificate")
    assert str(folder / "client.pem") in advice.cause
    assert "ended on" in advice.cause
    assert "make a new one and mount it" in advice.cure
    assert step_of(report, "tcp").state is State.GOOD
    assert step_of(report, "question").said == "not tried: the files come first"
    assert not vendor.traffic.requests


async def test_a_certificate_that_is_not_yet_valid(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    authority.issue_client("sidecar", validity=future()).write(folder, "client")
    advice = ill(await examined_at(bench, vendor), "client certificate")
    assert "is not valid before" in advice.cause
    assert "clock" in advice.cure


@pytest.mark.parametrize("name", ["client.pem", "client.key", "ca.pem", "secret"])
async def test_a_missing_file(
    bench: Bench, vendor: SimulatedVendor, folder: Path, name: str
) -> None:
    (folder / name).unlink()
    report = await examined_at(bench, vendor)
    advice = next(report.advice())
    assert f"{name} cannot be read (FileNotFoundError)" in advice.cause
    assert "mount it" in advice.cure
    assert not report.is_good


async def test_a_key_of_another_certificate(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    (folder / "client.key").write_bytes(authority.issue_client("sidecar").key_pem())
    advice = ill(await examined_at(bench, vendor), "client key")
    assert "does not belong to the client certificate" in advice.cause
    assert "mount the key that the certificate was issued for" in advice.cure


async def test_a_wrong_ca(bench: Bench, vendor: SimulatedVendor, folder: Path) -> None:
    Authority.create("Another CA", now=wall_clock()).write(folder)
    report = await examined_at(bench, vendor)
    advice = ill(report, "tls")
    assert "an authority that is not trusted" in advice.cause
    assert "CN=Throwaway CA" in advice.cause
    assert f"{folder / 'ca.pem'} holds CN=Another CA" in advice.cause
    assert f"into {folder / 'ca.pem'}" in advice.cure
    assert {fact.label for fact in step_of(report, "tls").facts} >= {"subject", "issuer", "valid"}
    assert not vendor.traffic.requests


async def test_a_wrong_host_name_and_its_cure(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    authority.issue_server(["vendor.test"]).write(folder, "server")
    await vendor.present(VendorTls.in_folder(folder))
    advice = ill(await examined_at(bench, vendor), "tls")
    assert "it stands for vendor.test, and 127.0.0.1 is expected" in advice.cause
    assert "tls.server_name: vendor.test" in advice.cure
    cured = await examined_at(bench, vendor, tls={"server_name": "vendor.test"})
    assert cured.is_good


@pytest.mark.parametrize(
    ("validity", "cause"), [(past, "has expired on"), (future, "is not valid before")]
)
async def test_a_server_certificate_outside_of_its_dates(
    bench: Bench,
    vendor: SimulatedVendor,
    folder: Path,
    authority: Authority,
    validity: Any,
    cause: str,
) -> None:
    authority.issue_server(validity=validity()).write(folder, "server")
    await vendor.present(VendorTls.in_folder(folder))
    advice = ill(await examined_at(bench, vendor), "tls")
    assert cause in advice.cause
    assert "vendor must" in advice.cure
    assert "clock of this machine" in advice.cure


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


async def test_a_closed_port(bench: Bench, vendor: SimulatedVendor) -> None:
    await vendor.faults.set(faults.Refuse())
    report = await examined_at(bench, vendor)
    advice = ill(report, "tcp")
    assert advice.cause == f"the port is closed: nobody listens on 127.0.0.1:{vendor.port}"
    assert "check the port in the connection's URLs" in advice.cure
    assert step_of(report, "tls").said == "not tried: the way there comes first"


@pytest.mark.parametrize("kind", ["none", "of another authority"])
async def test_a_client_certificate_that_the_vendor_refuses(
    bench: Bench, vendor: SimulatedVendor, folder: Path, kind: str
) -> None:
    """Under TLS 1.3 the refusal comes after the handshake, as an alert or as a hang-up."""
    tls: dict[str, object] = {}
    if kind == "none":
        tls = {"certificate_file": None, "key_file": None}
    else:
        other = Authority.create("Another CA", now=wall_clock())
        other.issue_client("sidecar").write(folder, "client")
    advice = ill(await examined_at(bench, vendor, tls=tls), "tls")
    assert "certificate" in advice.cause
    assert ("tls.certificate_file" if kind == "none" else "CN=Another CA") in advice.cure


@pytest.fixture
async def plain_server() -> AsyncIterator[Endpoint]:
    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response([])

    server = web.Server(handle)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    yield Endpoint("127.0.0.1", listener.sockets[0].getsockname()[1], is_https=False)
    listener.close()
    await server.shutdown(0.1)


async def test_a_port_that_speaks_plain_http(bench: Bench, plain_server: Endpoint) -> None:
    report = await examined(bench.setting(f"https://{plain_server}/", None))
    advice = ill(report, "tls")
    assert "does not speak TLS" in advice.cause
    assert "plain HTTP" in advice.cure


async def test_a_token_url_that_is_another_server_is_reached_too(
    bench: Bench, vendor: SimulatedVendor, plain_server: Endpoint
) -> None:
    report = await examined(bench.setting(vendor.base_url, f"https://{plain_server}/token"))
    assert [step.name for step in report.steps if step.name.startswith("tls")] == [
        f"tls 127.0.0.1:{vendor.port}",
        f"tls {plain_server}",
    ]
    assert "does not speak TLS" in ill(report, f"tls {plain_server}").cause


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


async def test_a_certificate_of_which_little_is_left_is_a_warning_whatever_its_length(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    now = wall_clock()
    day = Validity(not_before=now - timedelta(hours=1), not_after=now + timedelta(hours=23))
    authority.issue_client("sidecar", validity=day).write(folder, "client")
    report = await examined_at(bench, vendor)
    assert step_of(report, "client certificate").state is State.GOOD
    year = Validity(not_before=now - timedelta(days=300), not_after=now + timedelta(days=65))
    authority.issue_client("sidecar", validity=year).write(folder, "client")
    report = await examined_at(bench, vendor)
    assert report.is_good
    assert "the client certificate ends in" in step_of(report, "client certificate").advice[0].cause


async def test_an_identity_file_is_read_whole(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    file = folder / "customers.csv"
    source = {"kind": "file", "file": str(file)}
    assert (
        "cannot be read"
        in ill(await examined_at(bench, vendor, identity=source), "identity map").cause
    )
    file.write_text("customer_id,vendor_id\nnobody,canary-1\n")
    assert "entry 1" in ill(await examined_at(bench, vendor, identity=source), "identity map").cause
    file.write_text("customer_id,vendor_id\n00000000-0000-0000-0000-000000000001,canary-1\n")
    report = await examined_at(bench, vendor, identity=source)
    assert [fact.text for fact in step_of(report, "identity map").facts] == ["1"]
