"""A pod, the vendor that it asks, and the objects that its namespace should have."""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest
import pytest_asyncio
import yaml

from adapters.simulator.population import identity_rows
from adapters.simulator.vendor import SimulatedVendor
from proxy.cache.keys import new_key
from tests.kubelet.pod import Pod
from tests.kubelet.rendering import NoHelm, Rendered, rendered
from tests.kubelet.rendering import program as rendering_program
from tests.kubelet.ways import Namespaces, Rewriting
from tests.servers.vendors import CLIENT, PATIENT, Setup, connection_setting, vendor

TENANT = "amdocs_demo"
CONFIGURATION = "pedkai-bss-sidecar-config"
MEMORY = Path("/dev/shm")  # noqa: S108  (folders of our own are made in it)
Way: TypeAlias = Literal["namespaces", "rewriting"]
Objects: TypeAlias = Mapping[tuple[str, str], Mapping[str, bytes]]


@pytest.fixture(autouse=True)
def helm() -> None:
    """Without it there is nothing rendered to run."""
    try:
        rendering_program()
    except NoHelm as absent:
        pytest.skip(str(absent))


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder that is on no disk, where there is such a thing."""
    with tempfile.TemporaryDirectory(
        prefix="kubelet-", dir=MEMORY if MEMORY.is_dir() else None, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


@dataclass(slots=True)
class Namespace:
    """What an operator has put there: by kind and name, the content of an object."""

    objects: dict[tuple[str, str], Mapping[str, bytes]]
    values: Mapping[str, Any]
    """Of the chart."""


@pytest_asyncio.fixture
async def bss(tmp_path: Path) -> AsyncIterator[SimulatedVendor]:
    async with vendor(Setup(shape="amdocs"), tmp_path) as running:
        yield running


@pytest.fixture
def namespace(bss: SimulatedVendor, tmp_path: Path) -> Namespace:
    """Everything in order, but for a Redis, which is not there."""
    setting = connection_setting(Setup(shape="amdocs"), bss, tmp_path)
    connection = setting.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    of_client, of_trust = (f"/etc/bss-sidecar/{name}/amdocs" for name in ("credentials", "trust"))
    connection["tls"] = {
        "certificate_file": f"{of_client}/tls.crt",
        "key_file": f"{of_client}/tls.key",
        "trust_bundle_file": f"{of_trust}/ca.crt",
    }
    connection["oauth2"]["client_secret_file"] = f"{of_client}/client-secret"
    connection["identity"] = {"kind": "file", "file": "/etc/bss-sidecar/identity/customers.csv"}
    connection["wire"] = dict(PATIENT)
    values = {
        "configuration": {
            "connections": {"amdocs": connection},
            "tenants": {TENANT: {"connection": "amdocs"}},
            "deadlines": {"single": "10s", "batch": "20s"},
        },
        "credentials": {"amdocs": {"existingSecret": "amdocs-client"}},
        "trust": {"amdocs": {"existingConfigMap": "amdocs-ca"}},
        "identity": {"existingSecret": "identity"},
        "cacheKeys": {"existingSecret": "cache-keys"},
    }
    objects = {
        ("Secret", "amdocs-client"): {
            "tls.crt": (tmp_path / "client.pem").read_bytes(),
            "tls.key": (tmp_path / "client.key").read_bytes(),
            "client-secret": CLIENT.client_secret.encode(),
        },
        ("ConfigMap", "amdocs-ca"): {"ca.crt": (tmp_path / "ca.pem").read_bytes()},
        ("Secret", "identity"): {"customers.csv": _identity()},
        ("Secret", "cache-keys"): {
            name: f"{new_key()}\n".encode() for name in ("master-keys", "name-keys")
        },
    }
    return Namespace(objects, values)


def _identity() -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["customer_id", "vendor_id"])
    rows.writerows(dict(identity_rows(TENANT, "amdocs")).items())
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Node:
    """Makes pods."""

    memory: Path
    folder: Path

    def pod(
        self, values: Mapping[str, Any], *, ip: str = "127.0.0.2", way: Way = "namespaces"
    ) -> Pod:
        """Its volumes are empty but for the configuration, where the chart made one."""
        made = rendered(_fresh(self.folder / "parent"), values)
        volumes, root = _fresh(self.memory / "pod"), _fresh(self.memory / "root")
        self.memory.chmod(0o755)
        context = made.container["securityContext"]
        user, group = context["runAsUser"], context["runAsGroup"]
        isolated = way == "namespaces" and Namespaces.can_be_had()
        pod = Pod(volumes, made, ip, Namespaces(root, user, group) if isolated else Rewriting())
        for (kind, name), files in made.objects.items():
            pod.put(kind, name, files)
        return pod


@pytest.fixture
def node(memory: Path, tmp_path: Path) -> Node:
    return Node(memory, tmp_path)


def _fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


def configuration_of(made: Rendered) -> dict[str, Any]:
    """As the chart rendered it."""
    (files,) = made.objects.values()
    parsed: dict[str, Any] = yaml.safe_load(files["sidecar.yaml"])
    return parsed


def as_object(configuration: Mapping[str, Any]) -> Mapping[str, bytes]:
    return {"sidecar.yaml": yaml.safe_dump(configuration).encode()}
