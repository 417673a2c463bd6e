"""`bss-sidecar serve` as a process of its own: how it starts, how it is mended, how it stops."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import pytest
from cryptography import x509

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority
from adapters.simulator.population import customer_id
from tests.servers.hung import hung_server
from tests.servers.mount import KubernetesMount

PATIENCE_S = 30
"""A machine that is busy with other tests is slow; a sidecar that hangs is slower."""
FREE_PORTS = {"data": {"port": 0}, "ops": {"port": 0}, "admin": {"port": 0}}
MOCK: dict[str, Any] = {
    "schema_version": 1,
    "connections": {"mock": {"vendor": "mock"}},
    "tenants": {"mock_demo": {"connection": "mock"}},
    "listeners": FREE_PORTS,
}
BAD = MOCK | {"tenants": {"mock_demo": {"connection": "nobody"}}}
A = UUID(int=1)
TENANT = {"X-Tenant-ID": "mock_demo"}


class Served:
    """A running sidecar and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def said(self, event: str, **fields: object) -> dict[str, Any]:
        """The next line of the log that says this; those before it are kept in `lines`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while raw := await self.process.stdout.readline():
                line: dict[str, Any] = json.loads(raw)
                self.lines.append(line)
                if line["event"] == event and fields.items() <= line.items():
                    return line
        assert self.process.stderr is not None
        raise AssertionError((await self.process.stderr.read()).decode())

    async def listening(self, listener: str) -> str:
        """The address of a listener, once it is open."""
        for line in self.lines:
            if line["event"] == "listening" and line["listener"] == listener:
                return str(line["address"])
        return str((await self.said("listening", listener=listener))["address"])

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def stop(self) -> int:
        self.process.terminate()
        return await self.ended()


@asynccontextmanager
async def serving(
    path: Path | None, *options: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "proxy", "serve", *options),
        *([str(path)] if path else []),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        yield Served(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    """As a mount does it: the new file comes whole, in the old one's place."""
    path, draft = folder / "sidecar.yaml", folder / "draft"
    draft.write_text(json.dumps(content))
    draft.replace(path)
    return path


async def revenue(address: str, *ids: UUID) -> dict[str, Any]:
    asked = {"customer_ids": [str(one) for one in ids]}
    async with (
        aiohttp.ClientSession(headers=TENANT) as session,
        session.post(f"{address}/v1/revenue-at-risk", json=asked) as answer,
    ):
        assert answer.status == 200
        result: dict[str, Any] = await answer.json()
        return result | {"degraded": answer.headers.get("BSS-Degraded")}


async def test_by_hand_a_good_configuration_is_served_until_sigterm(tmp_path: Path) -> None:
    async with serving(write(tmp_path, MOCK)) as served:
        result = await revenue(await served.listening("data"), customer_id("mock_demo", 0))
        assert (result["source"], result["priced_customer_count"]) == ("mock", 1)
        assert await served.stop() == 0


async def test_by_hand_a_bad_configuration_ends_with_64_before_a_port_is_bound(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # binding it would end with 69
        port = {"port": taken.getsockname()[1]}
        bad = BAD | {"listeners": {"data": port, "ops": {"port": 0}, "admin": {"port": 0}}}
        async with serving(write(tmp_path, bad)) as served:
            out, err = await served.process.communicate()
    assert served.process.returncode == 64
    assert b"tenants.mock_demo.connection" in err
    assert out == b""


async def test_by_hand_a_port_that_is_taken_ends_with_69_and_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        content = MOCK | {"listeners": FREE_PORTS | {"data": {"port": port}}}
        async with serving(write(tmp_path, content)) as served:
            _, err = await served.process.communicate()
    assert served.process.returncode == 69
    assert f"127.0.0.1:{port}: Address already in use" in err.decode()


async def test_every_port_that_is_taken_is_named_with_its_setting(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        ports = {"data": first.getsockname()[1], "admin": second.getsockname()[1]}
        listeners = FREE_PORTS | {name: {"port": port} for name, port in ports.items()}
        async with serving(write(tmp_path, MOCK | {"listeners": listeners})) as served:
            _, err = await served.process.communicate()
    assert served.process.returncode == 69
    told = [line for line in err.decode().splitlines() if "can't listen" in line]
    assert len(told) == len(ports)
    for line, (name, port) in zip(told, ports.items(), strict=True):
        assert f":{port}: Address already in use" in line
        assert f"--set listeners.{name}.port=PORT" in line


async def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    env = {"BSS_SIDECAR_CONFIG": str(write(tmp_path, MOCK))}
    async with serving(None, env=env) as served:
        await served.listening("data")
        assert await served.stop() == 0


async def test_with_fail_open_a_bad_file_is_served_degraded_and_its_mended_self_for_real(
    tmp_path: Path,
) -> None:
    known = customer_id("mock_demo", 0)
    async with serving(write(tmp_path, BAD), "--fail-open") as served:
        address = await served.listening("data")
        result = await revenue(address, known)
        assert (result["source"], result["degraded"]) == (
            "unavailable",
            "configuration;unavailable=1",
        )
        write(tmp_path, MOCK)
        await served.said("configuration", state="good")
        assert (await revenue(address, known))["source"] == "mock"
        write(tmp_path, BAD)
        await served.said("configuration", state="outdated")
        assert (await revenue(address, known))["source"] == "mock"
        assert await served.stop() == 0


async def test_with_fail_open_unknown_keys_only_warn(tmp_path: Path) -> None:
    async with serving(write(tmp_path, MOCK | {"colour": "red"}), "--fail-open") as served:
        warning = await served.said("doubtful_configuration")
        assert warning["path"] == "colour"
        assert (await revenue(await served.listening("data"), A))["source"] == "mock"


async def test_with_fail_open_a_taken_port_is_had_as_soon_as_it_is_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        content = MOCK | {"listeners": FREE_PORTS | {"data": {"port": port}}}
        async with serving(write(tmp_path, content), "--fail-open") as served:
            ops = await served.listening("ops")
            line = await served.said("not_listening", listener="data")
            assert "already in use" in line["because"]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{ops}/readyz") as answer:
                    assert answer.status == 503
                taken.close()
                await served.said("listening", listener="data")
                async with session.get(f"{ops}/readyz") as answer:
                    assert answer.status == 200


async def test_a_question_in_flight_at_sigterm_is_answered_and_then_it_ends_with_0(
    tmp_path: Path,
) -> None:
    async with hung_server() as vendor:
        content = MOCK | {
            "connections": {"slow": patient_connection(vendor, "1.9s")},
            "tenants": {"mock_demo": {"connection": "slow"}},
            "default_tenant": "mock_demo",
        }
        async with serving(write(tmp_path, content)) as served, asyncio.TaskGroup() as tasks:
            data, ops = await served.listening("data"), await served.listening("ops")
            asking = tasks.create_task(revenue(data, A))
            await until_in_flight(ops)
            served.process.terminate()
            assert (await asking)["degraded"] == "deadline;unavailable=1"
            assert await served.ended() == 0


def patient_connection(port: int, patience: str) -> dict[str, Any]:
    """To a vendor who never answers; only the deadline of a question ends the wait."""
    return {
        "vendor": "csg",
        "base_url": f"http://127.0.0.1:{port}/",
        "insecure": True,
        "wire": {"exchange_timeout": patience},
    }


async def until_in_flight(ops: str) -> None:
    in_flight = 'bss_sidecar_questions_in_flight{question="revenue_at_risk"} 1.0'
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{ops}/metrics") as answer:
                if in_flight in await answer.text():
                    return


async def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    async with hung_server() as vendor:
        content = MOCK | {
            "connections": {"slow": patient_connection(vendor, "50s")},
            "tenants": {"mock_demo": {"connection": "slow"}},
            "deadlines": {"single": "450ms", "batch": "50s"},
            "shutdown": {"grace": "50s"},
        }
        async with serving(write(tmp_path, content)) as served, asyncio.TaskGroup() as tasks:
            data, ops = await served.listening("data"), await served.listening("ops")

            async def cut_off() -> None:
                with pytest.raises(aiohttp.ClientConnectionError):
                    await revenue(data, A)

            tasks.create_task(cut_off())
            await until_in_flight(ops)
            served.process.terminate()
            await until_not_ready(ops)
            served.process.terminate()
            assert await served.ended() == 128 + signal.SIGTERM


async def until_not_ready(ops: str) -> None:
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{ops}/readyz") as answer:
                if answer.status == 503:
                    assert (await answer.json())["because"] == "it is stopping"
                    return


@pytest.mark.parametrize("options", [(), ("--fail-open",)])
async def test_a_unix_socket_is_left_by_nobody(tmp_path: Path, options: tuple[str, ...]) -> None:
    door = tmp_path / "data.sock"
    content = MOCK | {"listeners": FREE_PORTS | {"data": {"unix_socket": str(door)}}}
    async with serving(write(tmp_path, content), *options) as served:
        await served.listening("data")
        connector = aiohttp.UnixConnector(str(door))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://any/openapi.json") as answer,
        ):
            assert answer.status == 200
        assert await served.stop() == 0
    assert not door.exists()


async def test_by_hand_a_changed_file_is_taken_up_and_a_bad_one_leaves_the_last_good_one(
    tmp_path: Path,
) -> None:
    known = customer_id("mock_demo", 0)
    async with serving(write(tmp_path, MOCK)) as served:
        await served.said("configuration", state="good")
        address = await served.listening("data")
        write(tmp_path, BAD)
        await served.said("bad_configuration", path="tenants.mock_demo.connection")
        await served.said("configuration", state="outdated")
        assert (await revenue(address, known))["source"] == "mock"
        write(tmp_path, MOCK | {"colour": "red"})
        await served.said("bad_configuration", path="colour")
        more = MOCK["tenants"] | {"second": {"connection": "mock"}}
        write(tmp_path, MOCK | {"tenants": more})
        assert (await served.said("configuration", state="good"))["tenants"] == 2
        assert (await revenue(address, known))["source"] == "mock"
        (tmp_path / "sidecar.yaml").unlink()
        await served.said("configuration", state="outdated")
        assert (await revenue(address, known))["source"] == "mock"
        assert await served.stop() == 0


async def test_the_token_and_the_certificate_of_the_data_listener_rotate_while_it_is_open(
    tmp_path: Path,
) -> None:
    authority = Authority.create(now=wall_clock())
    mount = KubernetesMount(tmp_path / "mount")
    trust = ssl.create_default_context(cadata=authority.trust_bundle().decode())

    def rotate(token: str) -> int:
        leaf = authority.issue_server()
        pair = {"tls.crt": leaf.certificate_pem(), "tls.key": leaf.key_pem()}
        mount.update(pair | {"token": token.encode()})
        return leaf.serial

    rotate("token-0-token-0-token")
    files = [("certificate_file", "tls.crt"), ("key_file", "tls.key")]
    tls = {key: str(mount.path / name) for key, name in files}
    content = MOCK | {
        "listeners": FREE_PORTS | {"data": {"port": 0, "tls": tls}},
        "auth": {"token_file": str(mount.path / "token")},
    }
    async with serving(write(tmp_path, content)) as served:
        address = await served.listening("data")
        for token in ("token-1-token-1-token", "token-2-token-2-token", "token-3-token-3-token"):
            serial = rotate(token)
            # Each is taken up by itself, in whichever order.
            taken = {(await served.said("reloaded"))["what"] for _ in range(2)}
            assert taken == {"listener_certificate", "token_file"}
            assert await shown(address, trust) == serial
            headers = {"Authorization": f"Bearer {token}"}
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.get(f"{address}/openapi.json", ssl=trust) as answer,
            ):
                assert answer.status == 200
        assert await served.stop() == 0


async def shown(address: str, trust: ssl.SSLContext) -> int:
    """The serial number that a new connection is shown."""
    url = urlsplit(address)
    _, writer = await asyncio.open_connection(url.hostname, url.port, ssl=trust)
    content = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(content).serial_number


async def test_a_log_that_nobody_reads_costs_no_answer_and_does_not_hold_up_the_end(
    tmp_path: Path,
) -> None:
    door = tmp_path / "data.sock"
    content = MOCK | {"listeners": FREE_PORTS | {"data": {"unix_socket": str(door)}}}
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "proxy", "serve", str(write(tmp_path, content))),
        stdout=writing,
    )
    os.close(writing)
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(door))) as session,
        ):
            while not door.exists():  # noqa: ASYNC110  (another process makes it)
                await asyncio.sleep(0.02)
            for _ in range(1_000):  # each makes a line of over 100 bytes, and a pipe takes 65,536
                async with session.get("http://any/nothing") as answer:
                    assert answer.status == 404
            process.terminate()
            assert await process.wait() == 0
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
