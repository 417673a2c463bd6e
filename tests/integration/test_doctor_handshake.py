"""What the doctor makes of servers that refuse it in plain OpenSSL, with an alert."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority, Validity
from config.settings import Connection
from proxy.doctor.findings import Advice, Report, State
from tests.integration.connecting import Bench, authority, bench, folder
from tests.integration.examining import examined, step_of

__all__ = ["authority", "bench", "folder"]  # fixtures

Serve = Callable[[ssl.SSLContext], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that shakes hands, and then waits for the other side to leave."""
    listeners: list[socket.socket] = []

    def start(context: ssl.SSLContext) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_shake_hands, args=(listener, context), daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            taken, _ = listener.accept()
        except OSError:
            return
        taken.settimeout(10)
        with taken, suppress(OSError), context.wrap_socket(taken, server_side=True) as tls:
            tls.recv(1)


def server_context(folder: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def setting(bench: Bench, url: str, **tls: object) -> Connection:
    return bench.setting(url, None, tls=tls)


def refusal(report: Report) -> Advice:
    step = step_of(report, "tls")
    assert step.state is State.BAD
    (advice,) = step.advice
    return advice


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_vendor_that_does_not_know_our_issuer_says_so(
    bench: Bench, folder: Path, serve: Serve, version: ssl.TLSVersion
) -> None:
    url = serve(server_context(folder, version))
    Authority.create("Another CA", now=wall_clock()).issue_client("us").write(folder, "client")
    advice = refusal(await examined(setting(bench, url)))
    assert advice.cause == (
        "the vendor does not trust the issuer of our client certificate, CN=Another CA"
    )
    assert "give the vendor the certificate of that issuer" in advice.cure


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_vendor_that_demands_a_certificate_says_so(
    bench: Bench, folder: Path, serve: Serve, version: ssl.TLSVersion
) -> None:
    url = serve(server_context(folder, version))
    bare = setting(bench, url, certificate_file=None, key_file=None)
    advice = refusal(await examined(bare))
    assert "client certificate" in advice.cause
    assert "was shown" in advice.cause
    assert "tls.certificate_file and tls.key_file" in advice.cure


async def test_a_client_certificate_that_only_servers_use_is_tried_and_its_refusal_explained(
    bench: Bench, folder: Path, serve: Serve, authority: Authority
) -> None:
    url = serve(server_context(folder, ssl.TLSVersion.TLSv1_3))
    authority.issue_server(["us"]).write(folder, "client")
    report = await examined(setting(bench, url))
    own = step_of(report, "client certificate")
    assert own.state is State.DOUBTFUL
    assert "not for clients" in own.advice[0].cause
    assert "the vendor refuses our client certificate" in refusal(report).cause


async def test_a_server_that_forgets_its_intermediate_is_told_from_one_of_another_authority(
    bench: Bench, folder: Path, serve: Serve, authority: Authority
) -> None:
    server = authority.issue_server()
    server.write(folder, "server")
    leaf, _, _ = (folder / "server.pem").read_text().partition("-----END CERTIFICATE-----")
    (folder / "server.pem").write_text(leaf + "-----END CERTIFICATE-----\n")
    context = server_context(folder, ssl.TLSVersion.TLSv1_3)
    advice = refusal(await examined(setting(bench, serve(context))))
    assert "it ends at CN=Throwaway CA intermediate" in advice.cause
    assert "forgets to send its intermediate" in advice.cure


async def test_a_server_certificate_that_ends_soon_is_a_warning(
    bench: Bench, folder: Path, serve: Serve, authority: Authority
) -> None:
    now = wall_clock()
    nearly = Validity(not_before=now - timedelta(days=80), not_after=now + timedelta(days=10))
    authority.issue_server(validity=nearly).write(folder, "server")
    url = serve(server_context(folder, ssl.TLSVersion.TLSv1_3))
    step = step_of(await examined(setting(bench, url)), "tls")
    assert step.state is State.DOUBTFUL
    assert "the server's certificate ends in 9 days" in step.advice[0].cause
