"""The doctor against a pretend vendor: each ill names its cause and its cure, and no secret."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.lookup import wall_clock
from adapters.simulator import faults
from adapters.simulator.certificates import Authority, Validity
from adapters.simulator.tls import VendorTls
from adapters.simulator.vendor import SimulatedVendor
from config.settings import Connection
from proxy.doctor.findings import State
from proxy.doctor.reaching import Endpoint
from tests.integration.connecting import SECRET, Bench, authority, bench, data, folder, vendor
from tests.integration.examining import examined, examined_at, ill, step_of

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures


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


async def test_an_expired_certificate(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    authority.issue_client("sidecar", validity=past()).write(folder, "client")
    report = await examined_at(bench, vendor)
    advice = ill(report, "client certificate")
    assert str(folder / "client.pem") in advice.cause
    assert "ended on" in advice.cause
    assert "mount it" in advice.cure
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
    assert "issued" in advice.cure


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


async def test_an_authority_that_was_renewed_under_its_old_name(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    Authority.create(now=wall_clock()).write(folder)
    advice = ill(await examined_at(bench, vendor), "tls")
    assert "the same name, with another key" in advice.cause
    assert "that the vendor uses now" in advice.cure


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


async def test_a_name_that_nobody_knows(bench: Bench) -> None:
    name = f"{'x' * 64}.example"  # longer than a label of DNS may be, so nobody is asked
    advice = ill(await examined(bench.setting(f"https://{name}/", None)), f"tcp {name}")
    assert advice.cause == f"the name {name} is not known here (EAI_NONAME)"
    assert "check how the host is written" in advice.cure


async def test_a_vendor_without_tls_and_token_has_neither_step_tried(
    bench: Bench, plain_server: Endpoint
) -> None:
    setting = Connection.model_validate(
        {"vendor": "amdocs", "base_url": f"http://{plain_server}/", "insecure": True}
    )
    report = await examined(setting)
    assert [(step.name.split()[0], step.state) for step in report.steps] == [
        ("tcp", State.GOOD),
        ("tls", State.SKIPPED),
        ("question", State.GOOD),
    ]


async def test_an_egress_proxy_is_what_is_reached(bench: Bench, plain_server: Endpoint) -> None:
    """It is a web server, and no proxy, so it refuses to connect us."""
    wire = {"egress_proxy": f"http://canary:canary@{plain_server}"}
    report = await examined(bench.setting("https://bss.example.com/", None, wire=wire))
    assert step_of(report, f"tcp {plain_server}").state is State.GOOD
    assert step_of(report, "tls").said == "not tried: it goes through the egress proxy"
    assert "the vendor: " in ill(report, "question").cause


async def test_one_file_with_certificate_and_key_and_a_secret_of_the_environment(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    both = folder / "both.pem"
    both.write_bytes((folder / "client.pem").read_bytes() + (folder / "client.key").read_bytes())
    setting = bench.setting(
        vendor.base_url, vendor.token_url, tls={"certificate_file": str(both), "key_file": None}
    )
    assert setting.oauth2 is not None
    given = {"client_secret_file": None, "client_secret": SecretStr(SECRET)}
    oauth2 = setting.oauth2.model_copy(update=given)
    report = await examined(setting.model_copy(update={"oauth2": oauth2}))
    assert report.is_good
    assert step_of(report, "client secret").said == "of the environment"


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
    file.write_text("customer_id,vendor_id\n")
    report = await examined_at(bench, vendor, identity=source)
    assert "names nobody" in step_of(report, "identity map").advice[0].cause
    file.write_text("customer_id,vendor_id\n00000000-0000-0000-0000-000000000001,canary-1\n")
    report = await examined_at(bench, vendor, identity=source)
    assert [fact.text for fact in step_of(report, "identity map").facts] == ["1"]
