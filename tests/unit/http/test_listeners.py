"""Where a listener listens, how it opens and how it closes."""

import asyncio
import os
import socket
import ssl
import stat
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from adapters.lookup import wall_clock
from adapters.simulator.certificates import write_demo_certificates
from proxy.http.addresses import UNIX_MODE_ANY_USER, Address, ListenerUnavailable, bind
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from tests.unit.http.doubles import Client, Sidecar, found, serving

A = UUID(int=1)
ACCOUNT = f"/v1/customers/{A}/billing-account"
ANY = Gate(loopback_host=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    write_demo_certificates(folder, now=wall_clock())
    return folder


async def test_a_unix_socket_answers_any_host_and_is_gone_afterwards(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    sidecar.adapter.billing[A] = found("1")
    path = tmp_path / "bss.sock"
    async with serving(sidecar.door(), ANY, Address(unix_socket=str(path))):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o660
        connector = aiohttp.UnixConnector(str(path))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://bss{ACCOUNT}", headers={"X-Tenant-ID": "acme"}) as answer,
        ):
            assert answer.status == 200
    assert not path.exists()


async def test_a_unix_socket_may_be_open_to_any_user(sidecar: Sidecar, tmp_path: Path) -> None:
    path = tmp_path / "bss.sock"
    address = Address(unix_socket=str(path), unix_mode=UNIX_MODE_ANY_USER)
    async with serving(sidecar.door(), ANY, address):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666


async def test_the_socket_of_a_killed_process_is_replaced(sidecar: Sidecar, tmp_path: Path) -> None:
    path = tmp_path / "bss.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    left_behind = path.stat().st_ino
    keep = os.open(path, os.O_PATH)
    async with serving(sidecar.door(), ANY, Address(unix_socket=str(path))):
        assert path.stat().st_ino != left_behind
    os.close(keep)


def test_the_socket_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bss.sock"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen()
        with pytest.raises(ListenerUnavailable, match="another process listens"):
            bind(Address(unix_socket=str(path)))
    assert path.exists()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bss.sock"
    path.write_text("somebody's notes")
    with pytest.raises(ListenerUnavailable, match="not a socket"):
        bind(Address(unix_socket=str(path)))
    assert path.read_text() == "somebody's notes"


def test_a_socket_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ListenerUnavailable, match="No such file"):
        bind(Address(unix_socket=str(tmp_path / "nowhere" / "bss.sock")))


async def test_a_successors_socket_is_not_removed(sidecar: Sidecar, tmp_path: Path) -> None:
    path = tmp_path / "bss.sock"
    listener = Listener(sidecar.door(), Address(unix_socket=str(path)), ANY)
    await listener.open()
    path.rename(tmp_path / "old.sock")
    path.write_text("the successor's")
    await listener.close(1)
    assert path.read_text() == "the successor's"


async def test_a_port_that_is_taken_is_said_in_words(data: Client, sidecar: Sidecar) -> None:
    taken = data.listener.bound.port
    listener = Listener(sidecar.door(), Address(port=taken), ANY)
    with pytest.raises(ListenerUnavailable, match=f":{taken}: Address already in use"):
        await listener.open()
    await listener.close(0.1)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_said_in_words(host: str) -> None:
    with pytest.raises(ListenerUnavailable, match=host):
        bind(Address(host=host))


def test_all_addresses_of_a_name_share_one_free_port() -> None:
    sockets = bind(Address(host="localhost"))
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
    finally:
        for one in sockets:
            one.close()


def test_an_address_is_written_as_a_url() -> None:
    assert str(Address(host="::1", port=8651)) == "http://[::1]:8651"
    assert str(Address(unix_socket="/run/bss.sock")) == "unix:/run/bss.sock"
    assert str(Address(port=1, certificate_file="c", key_file="k")) == "https://127.0.0.1:1"


async def test_the_data_listener_speaks_tls_where_it_has_a_certificate(
    sidecar: Sidecar, certificates: Path
) -> None:
    sidecar.adapter.billing[A] = found("1")
    address = Address(
        certificate_file=str(certificates / "server.pem"), key_file=str(certificates / "server.key")
    )
    gate = Gate(loopback_host=False, scheme="https", token=b"0123456789abcdef")
    trust = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    async with serving(sidecar.door(), gate, address) as client:
        url = f"https://localhost:{client.listener.bound.port}{ACCOUNT}"
        headers = {"X-Tenant-ID": "acme", "Authorization": "Bearer 0123456789abcdef"}
        own = {**headers, "Origin": f"https://localhost:{client.listener.bound.port}"}
        for sent, status in ((headers, 200), (own, 200), ({}, 401)):
            async with client.session.get(url, headers=sent, ssl=trust) as answer:
                assert answer.status == status


async def test_a_certificate_that_cannot_be_used_is_said_without_its_content(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    bad = tmp_path / "tls.crt"
    bad.write_text("canary")
    for path in (bad, tmp_path / "absent.crt"):
        address = Address(certificate_file=str(path), key_file=str(path))
        listener = Listener(sidecar.door(), address, ANY)
        with pytest.raises(ListenerUnavailable, match="certificate or key") as raised:
            await listener.open()
        assert "canary" not in str(raised.value)


async def test_a_key_with_a_passphrase_is_said_and_nobody_is_asked_for_it(
    sidecar: Sidecar, certificates: Path, tmp_path: Path
) -> None:
    key = load_pem_private_key((certificates / "server.key").read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"canary-passphrase")
        )
    )
    address = Address(
        certificate_file=str(certificates / "server.pem"), key_file=str(locked), port=0
    )
    with pytest.raises(ListenerUnavailable, match=r"locked\.key"):
        await Listener(sidecar.door(), address, ANY).open()


async def test_a_socket_file_that_cannot_be_removed_keeps_nobody_from_closing(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "bss.sock"
    async with serving(sidecar.door(), ANY, Address(unix_socket=str(path))) as client:
        path.rename(tmp_path / "bss.sock")
        folder.rmdir()
        folder.write_text("a file now stands where the folder was")
        await client.listener.close(1.0)


async def refused(client: Client) -> None:
    """Returns once nothing listens there any more."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", client.listener.bound.port)
            except ConnectionError:
                return
            writer.close()


async def test_closing_lets_what_is_in_flight_finish_and_says_goodbye(sidecar: Sidecar) -> None:
    sidecar.adapter.billing[A] = found("1")
    sidecar.adapter.gate = asyncio.Event()
    async with serving(sidecar.door(), ANY) as client, asyncio.TaskGroup() as tasks:

        async def ask() -> tuple[int, str | None]:
            async with client.ask("GET", ACCOUNT) as answer:
                return answer.status, answer.headers.get("Connection")

        asking = tasks.create_task(ask())
        await sidecar.adapter.asked.wait()
        closing = tasks.create_task(client.listener.close(5))
        await refused(client)
        assert not closing.done()
        sidecar.adapter.gate.set()
        assert await asking == (200, "close")


async def test_at_the_end_of_the_grace_what_is_in_flight_is_ended(sidecar: Sidecar) -> None:
    sidecar.runtime.batch_budget_s = sidecar.runtime.single_budget_s = 60
    sidecar.adapter.held = asyncio.Event()
    async with serving(sidecar.door(), ANY) as client:

        async def ask() -> None:
            with pytest.raises(aiohttp.ClientConnectionError):
                async with client.ask("GET", ACCOUNT):
                    pass

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask())
            await sidecar.adapter.asked.wait()
            start = asyncio.get_running_loop().time()
            await client.listener.close(0.1)
            assert asyncio.get_running_loop().time() - start < 2
    assert sidecar.adapter.cancelled.is_set()
