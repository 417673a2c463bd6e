"""A sidecar as a process of its own, to throw things at, and what must hold of it afterwards."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from adapters.simulator.population import customer_id

TENANT, FAILING = "mock_demo", "failing_demo"
TENANTS = (TENANT, FAILING)
TOKEN = "fuzz-fuzz-fuzz-fuzz-fuzz"
KNOWN = customer_id(TENANT, 0)
WAIT_S = 30.0
UNWANTED = frozenset({"unforeseen", "uncaught", "unraisable", "thread_failed", "library_spoke"})
SPARE_DESCRIPTORS = 8
SPARE_BYTES = 48 * 1024 * 1024
"""What a busy process may keep of its busiest moment."""


@dataclass(frozen=True, slots=True)
class Address:
    """Of a listener: a port, or the path of a socket."""

    where: int | str

    def connected(self) -> socket.socket:
        if isinstance(self.where, int):
            return socket.create_connection(("127.0.0.1", self.where), WAIT_S)
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(WAIT_S)
        made.connect(self.where)
        return made


@dataclass(frozen=True, slots=True)
class Usage:
    descriptors: int
    resident_bytes: int


@dataclass(slots=True)
class Target:
    """Three listeners, one of them perhaps behind a socket or a token."""

    process: subprocess.Popen[bytes]
    folder: Path
    addresses: Mapping[str, Address]
    token: str | None = None
    at_first: Usage = field(default_factory=lambda: Usage(0, 0))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def ask(
        self, listener: str, method: str, path: str, *, body: str = "", **headers: str
    ) -> tuple[int, bytes]:
        connection = HTTPConnection("localhost", timeout=WAIT_S)
        connection.sock = self.addresses[listener].connected()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body or None, self.headers | named)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def lines(self) -> list[dict[str, Any]]:
        return _lines(self.folder)

    def usage(self) -> Usage:
        proc = Path("/proc") / str(self.process.pid)
        pages = int((proc / "statm").read_text().split()[1])
        descriptors = len(list((proc / "fd").iterdir()))
        return Usage(descriptors, pages * os.sysconf("SC_PAGE_SIZE"))

    def figures(self) -> Mapping[str, float]:
        text = self.ask("ops", "GET", "/metrics")[1].decode()
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                totals[sample.name] = totals.get(sample.name, 0) + sample.value
        return totals

    def check_unharmed(self) -> None:
        """It lives, answers at once, holds nothing, and nothing surprised it."""
        self._check_answers()
        deadline = time.monotonic() + WAIT_S  # noqa: TID251  (of another process)
        while self._holds_something():
            assert time.monotonic() < deadline, (self.usage(), self.at_first)  # noqa: TID251  (as above)
            time.sleep(0.05)
        surprises = [line for line in self.lines() if line["event"] in UNWANTED]
        assert surprises == []
        assert (self.folder / "stderr").read_text() == ""

    def _check_answers(self) -> None:
        ids = json.dumps({"customer_ids": [str(KNOWN)]})
        headers = {"X_Tenant_ID": TENANT, "Content_Type": "application/json"}
        begun = time.monotonic()  # noqa: TID251  (as above)
        status, body = self.ask("data", "POST", "/v1/revenue-at-risk", body=ids, **headers)
        assert time.monotonic() - begun < 5  # noqa: TID251  (as above)
        assert (status, json.loads(body)["priced_customer_count"]) == (200, 1)
        assert self.ask("ops", "GET", "/healthz")[0] == 200
        assert self.ask("admin", "GET", "/v1/status")[0] == 200

    def _holds_something(self) -> bool:
        figures, usage = self.figures(), self.usage()
        assert figures["bss_sidecar_unforeseen_errors_total"] == 0
        return (
            figures["bss_sidecar_questions_in_flight"] > 0
            or usage.descriptors > self.at_first.descriptors + SPARE_DESCRIPTORS
            or usage.resident_bytes > self.at_first.resident_bytes + SPARE_BYTES
        )


@contextmanager
def target(folder: Path, *, token: bool = False, unix_socket: bool = False) -> Iterator[Target]:
    """Up, warm, and down again with exit status 0."""
    file = folder / "sidecar.yaml"
    door = str(folder / "data.sock") if unix_socket else None
    file.write_text(json.dumps(_settings(folder, token=token, unix_socket=door)))
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            (sys.executable, "-P", "-m", "proxy", "serve", str(file)), stdout=out, stderr=err
        )
    try:
        addresses = _listening(folder, process)
        if door:
            addresses["data"] = Address(door)
        made = Target(process, folder, addresses, TOKEN if token else None)
        for _ in range(3):
            made._check_answers()
            made.figures()
        made.at_first = made.usage()
        yield made
        process.terminate()
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()


def _lines(folder: Path) -> list[dict[str, Any]]:
    """The log so far, without a line that is being written."""
    written = (folder / "stdout").read_text()
    return [json.loads(one) for one in written[: written.rfind("\n") + 1].splitlines()]


def _listening(folder: Path, process: subprocess.Popen[bytes]) -> dict[str, Address]:
    while True:
        assert process.poll() is None, (folder / "stderr").read_text()
        opened = (one for one in _lines(folder) if one["event"] == "listening")
        found = {one["listener"]: one["address"] for one in opened}
        if len(found) == 3:
            return {name: Address(urlsplit(url).port or 0) for name, url in found.items()}
        time.sleep(0.05)


def _settings(folder: Path, *, token: bool, unix_socket: str | None) -> dict[str, Any]:
    (folder / "token").write_text(TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    dead = {"base_url": f"http://127.0.0.1:{nobody}/", "insecure": True}
    return {
        "schema_version": 1,
        "connections": {
            "mock": {"vendor": "mock"},
            "failing": {"vendor": "csg", **dead},
        },
        "tenants": {name: {"connection": name.removesuffix("_demo")} for name in TENANTS},
        "default_tenant": FAILING,
        "listeners": {
            "data": {"unix_socket": unix_socket} if unix_socket else {"port": 0},
            "ops": {"port": 0},
            "admin": {"port": 0},
        },
        "logging": {"level": "debug", "format": "json"},
        **({"auth": {"token_file": str(folder / "token")}} if token else {}),
    }
