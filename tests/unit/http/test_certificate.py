"""The data listener's certificate rotates while the listener is open."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority, Issued, Validity
from proxy.http.addresses import Address
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from tests.servers.mount import KubernetesMount
from tests.unit.http.doubles import Sidecar, serving

NOW = wall_clock()
AUTHORITY = Authority.create(now=NOW)


def issued(begins: timedelta = -timedelta(days=1)) -> Issued:
    """It begins that long from now, and lasts two days."""
    begin = NOW + begins
    validity = Validity(not_before=begin, not_after=begin + timedelta(days=2))
    return AUTHORITY.issue_server(validity=validity)


def files(one: Issued, key: Issued | None = None) -> dict[str, bytes]:
    return {"tls.crt": one.certificate_pem(), "tls.key": (key or one).key_pem()}


@pytest.fixture
def mount(tmp_path: Path) -> KubernetesMount:
    return KubernetesMount(tmp_path / "tls")


@pytest.fixture
async def listener(sidecar: Sidecar, mount: KubernetesMount) -> AsyncIterator[Listener]:
    mount.update(files(issued()))
    address = Address(
        certificate_file=str(mount.path / "tls.crt"), key_file=str(mount.path / "tls.key")
    )
    async with serving(sidecar.door(), Gate(loopback_host=False), address) as client:
        yield client.listener


def look(listener: Listener) -> bool:
    assert listener.certificate is not None
    return listener.certificate.look(NOW)


async def shown(listener: Listener, name: str | None = "localhost") -> int:
    """The serial number that a handshake shows."""
    trust = ssl.create_default_context(cadata=AUTHORITY.trust_bundle().decode())
    trust.check_hostname = name is not None

    def handshake() -> bytes | None:
        where = ("127.0.0.1", listener.bound.port)
        with (
            socket.create_connection(where, timeout=10) as plain,
            trust.wrap_socket(plain, server_hostname=name) as one,
        ):
            return one.getpeercert(binary_form=True)

    content = await asyncio.to_thread(handshake)
    assert content is not None
    return x509.load_der_x509_certificate(content).serial_number


@pytest.mark.parametrize("name", ["localhost", None])
async def test_each_new_certificate_is_shown_to_the_next_who_comes_in(
    listener: Listener, mount: KubernetesMount, name: str | None
) -> None:
    for _ in range(3):
        new = issued()
        mount.update(files(new))
        assert look(listener) is True
        assert await shown(listener, name) == new.serial
    assert look(listener) is False


async def test_a_bad_pair_leaves_the_last_good_one_and_says_what_is_wrong(
    listener: Listener, mount: KubernetesMount
) -> None:
    before = await shown(listener)
    ended, ahead = issued(-timedelta(days=3)), issued(timedelta(days=1))
    for bad, said in (
        (files(issued(), issued()), "KEY_VALUES_MISMATCH"),
        ({"tls.crt": b"canary", "tls.key": b""}, "can't be used"),
        ({}, "can't be read (No such file"),
        (files(ended), "ended on"),
        (files(ahead), "begins on"),
    ):
        mount.update(bad)
        assert look(listener) is False
        assert listener.certificate is not None
        assert said in listener.certificate.problem
        assert "canary" not in listener.certificate.problem
        assert await shown(listener) == before
    mended = issued()
    mount.update(files(mended))
    assert look(listener) is True
    assert listener.certificate.problem == ""
    assert await shown(listener) == mended.serial
