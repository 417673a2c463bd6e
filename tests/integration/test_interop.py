"""Mutual TLS with servers that were not written here: nginx (OpenSSL) and Envoy (BoringSSL)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from adapters.lookup import wall_clock
from adapters.outcome import Reason
from adapters.simulator.certificates import Authority, Issued
from proxy.connection import VendorConnection
from tests.integration.connecting import Bench, ask, bench, failure_of
from tests.integration.rotating import until
from tests.servers.envoy import running_envoy
from tests.servers.nginx import running_nginx
from tests.servers.strict import GATES, Gate, NotHere, StrictServer

__all__ = ["bench"]  # fixtures

RUNNING: dict[str, Callable[[Path, Path], AbstractContextManager[StrictServer]]] = {
    "nginx": running_nginx,
    "Envoy": running_envoy,
}
Issuer: TypeAlias = Literal["root", "intermediate"]
Authorities: TypeAlias = Mapping[Issuer, Authority]
HOME = [gate for gate in GATES if gate.host == "127.0.0.1" and gate.key == "ec"]
"""One gate for each version of TLS."""


@pytest.fixture(scope="module")
def authorities() -> Authorities:
    """By what issues the leaves: the root, or an intermediate below it. The server trusts both."""
    now = wall_clock()
    return {
        "root": Authority.create("CA", now=now),
        "intermediate": Authority.create("Other CA", now=now, intermediate=True),
    }


@pytest.fixture(scope="module", params=RUNNING)
def server(
    request: pytest.FixtureRequest,
    authorities: Authorities,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StrictServer]:
    certificates = tmp_path_factory.mktemp("certificates")
    roots = b"".join(one.trust_bundle() for one in authorities.values())
    (certificates / "ca.pem").write_bytes(roots)
    for key in ("ec", "rsa"):
        authorities["intermediate"].issue_server(key=key).write(certificates, f"server-{key}")
    try:
        with RUNNING[request.param](tmp_path_factory.mktemp("server"), certificates) as one:
            yield one
    except NotHere as absent:
        pytest.skip(str(absent))


@pytest.fixture
def folder(tmp_path: Path, authorities: Authorities) -> Path:
    authorities["intermediate"].write(tmp_path)
    return tmp_path


def connect(bench: Bench, server: StrictServer, gate: Gate) -> VendorConnection:
    return bench.connect(server.base_url(gate))


async def seen(connection: VendorConnection) -> dict[str, Any]:
    """What the server says of us."""
    body = (await ask(connection)).body
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
@pytest.mark.parametrize("issuer", ["root", "intermediate"])
@pytest.mark.parametrize("key", ["ec", "rsa"])
async def test_a_certificate_is_shown_with_its_chain_and_let_in(  # noqa: PLR0917  (fixtures)
    bench: Bench,
    server: StrictServer,
    folder: Path,
    authorities: Authorities,
    gate: Gate,
    issuer: Issuer,
    key: Literal["ec", "rsa"],
) -> None:
    issued = authorities[issuer].issue_client("sidecar", key=key)
    issued.write(folder, "client")
    told = await seen(connect(bench, server, gate))
    assert int(told["serial"], 16) == issued.serial
    assert (told["subject"], told["protocol"]) == ("CN=sidecar", gate.protocol)


@pytest.mark.parametrize("gate", HOME, ids=lambda gate: gate.name)
@pytest.mark.parametrize("wrong", ["no intermediate", "server usage only", "another authority"])
async def test_a_certificate_that_the_server_refuses_gives_a_reason_and_no_answer(
    bench: Bench,
    server: StrictServer,
    folder: Path,
    authorities: Authorities,
    gate: Gate,
    wrong: str,
) -> None:
    """OpenSSL refuses with an alert or, in nginx, with HTTP 400; BoringSSL with an alert."""
    _refused(wrong, authorities["intermediate"]).write(folder, "client")
    failure = await failure_of(connect(bench, server, gate))
    assert failure.reason in {Reason.TLS, Reason.UNREACHABLE, Reason.VENDOR_ERROR}


@pytest.mark.parametrize("gate", HOME, ids=lambda gate: gate.name)
async def test_a_server_of_an_authority_that_is_not_trusted_is_not_spoken_to(
    bench: Bench,
    server: StrictServer,
    folder: Path,
    authorities: Authorities,
    gate: Gate,
) -> None:
    authorities["intermediate"].issue_client("sidecar").write(folder, "client")
    authorities["root"].write(folder)
    failure = await failure_of(connect(bench, server, gate))
    assert failure.reason is Reason.TLS
    assert "issuer is not trusted" in failure.detail


async def test_after_a_rotation_the_server_sees_the_new_certificate_and_never_the_old_one_again(
    bench: Bench, server: StrictServer, folder: Path, authorities: Authorities
) -> None:
    """A pooled connection would keep the old identity for as long as it lives."""
    old = authorities["intermediate"].issue_client("sidecar")
    old.write(folder, "client")
    connection = connect(bench, server, HOME[-1])
    assert int((await seen(connection))["serial"], 16) == old.serial
    for issuer in ("root", "intermediate"):
        new = authorities[issuer].issue_client("sidecar")
        new.write(folder, "client")
        await until(lambda new=new: _serial(connection) == new.serial)  # type: ignore[misc]
        serials = {int((await seen(connection))["serial"], 16) for _ in range(5)}
        assert serials == {new.serial}


def _serial(connection: VendorConnection) -> int:
    assert connection.credentials is not None
    return connection.credentials.certificates.client[0].serial


def _refused(wrong: str, ours: Authority) -> Issued:
    if wrong == "server usage only":
        return ours.issue_server(["sidecar"])
    if wrong == "another authority":
        return Authority.create("Another CA", now=wall_clock()).issue_client("sidecar")
    return replace(ours.issue_client("sidecar"), chain=())
