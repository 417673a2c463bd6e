"""A real API server for the tests: started, asked over HTTPS, stopped."""

import base64
import http.client
import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import yaml

from tests.servers.strict import kept_running

Thing: TypeAlias = dict[str, Any]
"""A Kubernetes object as the API server speaks it."""

START_TIMEOUT_S = 120
CHANGE_TIMEOUT_S = 30
"""The API server's watches and the controllers are asynchronous; idle, they take about a second."""

_POLL_S = 0.05


class Refused(Exception):  # noqa: N818  (what the API server did)
    """The API server's own words, with its HTTP status."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {answer.get('message', answer)}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Cluster:
    """Runs; the bearer of its token may do everything."""

    kubeconfig: Path
    program: Path
    address: str
    token: str = field(repr=False)
    trusted: ssl.SSLContext = field(repr=False)

    def call(self, method: str, path: str, body: object = None, **query: str) -> Thing:
        """Raises `Refused` for every status from 400 on."""
        return self._ask(method, path, body, query)[0]

    def _ask(
        self, method: str, path: str, body: object, query: Mapping[str, str]
    ) -> tuple[Thing, list[str]]:
        """Its answer and its warnings."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        url = urlsplit(self.address)
        connection = http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=CHANGE_TIMEOUT_S, context=self.trusted
        )
        try:
            target = f"{path}?{urlencode(query)}" if query else path
            connection.request(method, target, json.dumps(body) if body else None, headers)
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        answer: Thing = json.loads(text) if text.startswith(b"{") else {"message": text.decode()}
        if reply.status >= 400:
            raise Refused(reply.status, answer)
        return answer, reply.headers.get_all("Warning", [])

    def get(self, path: str, **query: str) -> Thing:
        return self.call("GET", path, **query)

    def items(self, path: str, **query: str) -> list[Thing]:
        """Of a list, in the server's order."""
        listed: list[Thing] = self.get(path, **query).get("items") or []
        return listed

    def exists(self, path: str) -> bool:
        """A type that was just defined is not there yet, or is being set up (429)."""
        try:
            self.get(path)
        except Refused as refused:
            if refused.status in {404, 429}:
                return False
            raise
        return True

    def would_admit(self, pod: Thing) -> Thing:
        """The pod as it would be stored, after admission; nothing is."""
        return self._ask("POST", _pods_of(pod), pod, {"dryRun": "All"})[0]

    def would_warn(self, pod: Thing) -> str:
        """What a person would read who creates it."""
        return "\n".join(self._ask("POST", _pods_of(pod), pod, {"dryRun": "All"})[1])

    def make_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        """With the `default` ServiceAccount that a controller makes in a real cluster."""
        self.call(
            "POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": dict(labels)}}
        )
        accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
        self.call("POST", accounts, {"metadata": {"name": "default"}})

    def everything(self) -> set[str]:
        """Type, namespace and name of each object there is, but for events."""
        return {path for listing in self._listings() for path in self._paths(listing)}

    def kubectl(self, *arguments: str) -> str:
        """What it printed, as for a person. Raises `CalledProcessError`."""
        command = [str(self.program), "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def _listings(self) -> Iterator[str]:
        groups = self.get("/apis")["groups"]
        for root in [
            "/api/v1",
            *(f"/apis/{one['preferredVersion']['groupVersion']}" for one in groups),
        ]:
            for resource in self.get(root)["resources"]:
                if "list" in resource["verbs"] and resource["name"] != "events":
                    yield f"{root}/{resource['name']}"

    def _paths(self, listing: str) -> Iterator[str]:
        for one in self.items(listing):
            meta = one["metadata"]
            yield f"{listing}/{meta.get('namespace', '')}/{meta['name']}"


def _pods_of(pod: Thing) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"


def until(reached: Callable[[], bool]) -> None:
    """Looks again and again. Raises `AssertionError` when the time is over."""
    give_up_at = time.monotonic() + CHANGE_TIMEOUT_S  # noqa: TID251  (a real process is waited for)
    while not reached():
        if time.monotonic() > give_up_at:  # noqa: TID251  (as above)
            raise AssertionError(f"not within {CHANGE_TIMEOUT_S} s")
        time.sleep(_POLL_S)


@contextmanager
def running_cluster(program: Path, folder: Path) -> Iterator[Cluster]:
    """`folder` holds all that the cluster keeps, and what its programs said."""
    kubeconfig, log = folder / "kubeconfig", folder / "said"
    with kept_running([program, "serve", folder], log):
        give_up_at = time.monotonic() + START_TIMEOUT_S  # noqa: TID251  (a real process)
        while not kubeconfig.exists():
            if time.monotonic() > give_up_at:  # noqa: TID251  (as above)
                raise RuntimeError(log.read_text(errors="replace")[-4_000:])
            time.sleep(_POLL_S)
        yield _read(kubeconfig, program)


def _read(kubeconfig: Path, program: Path) -> Cluster:
    known = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster = known["clusters"][0]["cluster"]
    trusted = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Cluster(
        kubeconfig=kubeconfig,
        program=program,
        address=cluster["server"],
        token=known["users"][0]["user"]["token"],
        trusted=ssl.create_default_context(cadata=trusted),
    )
