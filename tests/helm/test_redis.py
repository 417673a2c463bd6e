"""The chart's Redis, run as it is rendered, with what the README's commands make."""

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters.simulator.population import customer_id
from proxy.cache.keys import new_key
from tests.helm.charts import ROOT, Manifest, manifests, render, the
from tests.helm.matrix import REDIS
from tests.servers.fleet import PATIENT_READS, eventually
from tests.servers.redis import free_ports, program
from tests.servers.sidecar import Demonstration, Stage, served
from tests.servers.strict import START_TIMEOUT_S, NotHere, kept_running

README = (ROOT / "helm" / "README.md").read_text(encoding="utf-8")
RELEASE = "bss-system/bss-sidecar"
"""As in the README."""
TENANT = "mock_demo"
NAME = "bss-sidecar-redis.bss-system.svc"
RENDERED = manifests(render(REDIS, release=RELEASE))
CONFIGURATION = yaml.safe_load(the("ConfigMap", RENDERED)["data"]["sidecar.yaml"])


@dataclass(frozen=True, slots=True)
class Running:
    """`folder`: what its Secret, the sidecar's Secret and the keys hold."""

    folder: Path
    port: int
    log: Path

    def client(self) -> "redis.Redis[str]":
        """As the sidecar's user."""
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            username="bss-sidecar",
            password=(self.folder / "password").read_text(encoding="utf-8"),
            ssl=True,
            ssl_ca_certs=str(self.folder / "ca.crt"),
            ssl_check_hostname=False,
            decode_responses=True,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    try:
        program()
    except NotHere as absent:
        pytest.skip(str(absent))
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("redis")
    _make_secret(folder)
    with _started(the("Deployment", RENDERED), folder) as started:
        yield started


def _make_secret(folder: Path) -> None:
    """By the README's own commands, without those that need a cluster or an image."""
    (block,) = [
        one for one in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "openssl req" in one
    ]
    script = re.sub(r"(\\\n)", "", block)
    lines = [line for line in script.splitlines() if not line.startswith("kubectl")]
    subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(lines)], cwd=folder, check=True, capture_output=True
    )
    for file in ("master-keys", "name-keys"):
        (folder / file).write_text(f"{new_key()}\n", encoding="utf-8")


@contextmanager
def _started(deployment: Manifest, folder: Path) -> Iterator[Running]:
    """Its very arguments; the mounted folder, the port and where it works are others here."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (port,) = free_ports(1)
    args = [one.replace(f"{mount['mountPath']}/", f"{folder}/") for one in container["args"]]
    args[args.index("--tls-port") + 1] = str(port)
    args += ["--dir", str(folder)]
    assert container["command"] == ["valkey-server"]
    started = Running(folder, port, folder / "log")
    with kept_running([program(), *args], started.log):
        give_up_at = time.monotonic() + START_TIMEOUT_S  # noqa: TID251  (a real process)
        while not _answers(started):
            assert time.monotonic() < give_up_at, started.log.read_text()  # noqa: TID251  (as above)
            time.sleep(0.01)
        yield started


def _answers(running: Running) -> bool:
    with suppress(redis.ConnectionError), running.client() as client:
        return bool(client.info("persistence"))
    return False


def test_it_keeps_nothing_on_a_disk_and_forgets_what_was_not_asked_for(running: Running) -> None:
    with running.client() as client:
        assert client.info("persistence")["aof_enabled"] == 0
        assert client.config_get("save") == {"save": ""}
        memory = client.info("memory")
    assert (memory["maxmemory"], memory["maxmemory_policy"]) == (96 << 20, "allkeys-lru")


@pytest.mark.parametrize(
    "command",
    [("FLUSHALL",), ("CONFIG", "SET", "save", "1 1"), ("KEYS", "*"), ("SET", "other", "1")],
)
def test_its_user_may_do_what_a_sidecar_does_and_no_more(
    running: Running, command: tuple[str, ...]
) -> None:
    with running.client() as client:
        client.set("bss1:probe", "1")
        assert client.delete("bss1:probe") == 1
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)


def test_nobody_gets_in_without_tls_or_without_the_password(running: Running) -> None:
    here: dict[str, Any] = {"port": running.port, "retry": Retry(NoBackoff(), 0)}
    with redis.Redis(**here) as client, pytest.raises(redis.ConnectionError):
        client.info()
    trusted = str(running.folder / "ca.crt")
    with (
        redis.Redis(**here, ssl=True, ssl_ca_certs=trusted, ssl_check_hostname=False) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.info()


def test_the_strictest_client_trusts_the_certificate_for_the_name_of_the_service(
    running: Running,
) -> None:
    """As Python does from 3.13 on."""
    url = CONFIGURATION["cache"]["redis"]["url"]
    assert url == f"rediss://{NAME}:6379/0"
    context = ssl.create_default_context(cafile=str(running.folder / "ca.crt"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    with (
        socket.create_connection(("127.0.0.1", running.port)) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as opened,
    ):
        assert opened.version() in {"TLSv1.2", "TLSv1.3"}


async def test_sidecars_share_their_cache_by_the_configuration_that_is_rendered(
    running: Running, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        file = folder / "sidecar.yaml"
        file.write_text(yaml.safe_dump(_here(CONFIGURATION, running)), encoding="utf-8")
        async with served(Stage(folder, {}, folder / "no-database", file)) as sidecar:
            reply = await sidecar.data.account(TENANT, customer_id(TENANT, 0))
            assert reply.status == 200
            await eventually(partial(_has_nothing_to_write, sidecar))
            shown = (await sidecar.admin.ask("GET", "/v1/status")).json()["cache"]
        hit = reply.headers["cache-status"].startswith("bss-sidecar; hit")
        assert hit is (name == "second")
        assert (shown["persistence"], shown["warning"], shown["failure"]) == ("none", "", "")
        assert "doubtful_cache" not in (folder / "stdout").read_text(encoding="utf-8")


async def _has_nothing_to_write(sidecar: Demonstration) -> bool:
    return not (await sidecar.admin.ask("GET", "/v1/status")).json()["cache"]["pending"]


def _here(configuration: dict[str, Any], running: Running) -> dict[str, Any]:
    """The same, where the folders are others and the Service's name leads nowhere."""
    text = re.sub(r"/etc/bss-sidecar/(redis|cache-keys)/", f"{running.folder}/", str(configuration))
    made: dict[str, Any] = yaml.safe_load(text)
    made["cache"]["redis"]["url"] = f"rediss://127.0.0.1:{running.port}/0"
    made["cache"]["redis"]["tls"]["server_name"] = NAME
    made["cache"] |= PATIENT_READS
    made["deadlines"] = {"single": "10s", "batch": "20s"}
    made["listeners"] = {name: {"port": 0} for name in ("data", "ops", "admin")}
    made["logging"] = {"format": "json"}
    return made
