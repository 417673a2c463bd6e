"""Proxies that a sidecar might be: nginx, HAProxy, Envoy, each before the same vendor.

All take plain HTTP on loopback, as the sidecar does, and speak mutual TLS to the vendor over kept
connections. One worker each, no access log: their best. They know no customers, tenants, tokens,
fees or deadlines; what they pass on is the vendor's own answer.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.processes import Program
from tests.bench.stage import Stage
from tests.servers import envoy as envoys
from tests.servers import nginx as nginxes
from tests.servers.redis import free_ports
from tests.servers.strict import NotHere

KEPT = 256
"""Connections to the vendor that are kept."""
_TYPES = "type.googleapis.com/envoy.extensions"


@dataclass(frozen=True, slots=True)
class ProxyUnderMeasure:
    program: Program
    port: int
    """Passes all on."""
    cache_port: int
    """Answers from its cache; 0 where it has none."""
    hit: bytes = b""
    """Stands in an answer from it."""


async def nginx(stage: Stage, vendor_port: int) -> ProxyUnderMeasure:
    """Raises `NotHere`, as the others do."""
    program = nginxes.found()
    passing, caching = free_ports(2)
    folder = stage.folder / "nginx"
    folder.mkdir()
    file = folder / "nginx.conf"
    file.write_text(_nginx(folder, stage.mounted.folder, vendor_port, (passing, caching)))
    command: list[str | Path] = [program, "-p", folder, "-c", file, "-e", "stderr"]
    made = await stage.program("nginx", command)
    await made.until_open(caching)
    return ProxyUnderMeasure(made, passing, caching, b"X-Cache: HIT")


async def haproxy(stage: Stage, vendor_port: int) -> ProxyUnderMeasure:
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise NotHere("no haproxy on this machine (Debian: apt install haproxy)")
    (port,) = free_ports(1)
    certificates = stage.mounted.folder
    both = stage.folder / "haproxy-client.pem"
    both.touch(0o600)
    both.write_bytes(
        (certificates / "client.pem").read_bytes() + (certificates / "client.key").read_bytes()
    )
    file = stage.folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(port=port, vendor=vendor_port, ca=certificates, both=both))
    made = await stage.program("haproxy", [program, "-db", "-f", file])
    await made.until_open(port)
    return ProxyUnderMeasure(made, port, 0)


async def envoy(stage: Stage, vendor_port: int, token: str) -> ProxyUnderMeasure:
    """Its cache filter leaves requests with a token alone, so there it adds the token itself."""
    program = shutil.which("envoy", path=str(Path(sys.executable).parent)) or envoys.found()
    passing, caching = free_ports(2)
    file = stage.folder / "envoy.json"
    certificates = stage.mounted.folder
    resources = {
        "listeners": [_listener("passing", passing), _listener("caching", caching)],
        "clusters": [
            _cluster("passing", vendor_port, certificates),
            _cluster("caching", vendor_port, certificates) | _at_the_vendor(token),
        ],
    }
    file.write_text(json.dumps({"static_resources": resources}))
    command: list[str | Path] = [program, "-c", file, "--use-dynamic-base-id", "--concurrency", "1"]
    made = await stage.program("envoy", [*command, "--log-level", "error"])
    await made.until_open(caching)
    return ProxyUnderMeasure(made, passing, caching, b"\r\nage: ")


def _nginx(folder: Path, certificates: Path, vendor: int, ports: tuple[int, int]) -> str:
    temporary = "\n".join(
        f"{kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    passing, caching = ports
    return f"""
daemon off; master_process off; pid {folder / "pid"};
events {{ worker_connections 2048; }}
http {{
    access_log off; keepalive_requests 100000000;
    {temporary}
    proxy_cache_path {folder / "cache"} keys_zone=answers:10m;
    upstream vendor {{
        server 127.0.0.1:{vendor}; keepalive {KEPT}; keepalive_requests 100000000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host localhost;
    proxy_ssl_certificate {certificates}/client.pem;
    proxy_ssl_certificate_key {certificates}/client.key;
    proxy_ssl_trusted_certificate {certificates}/ca.pem;
    proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_server_name on;
    proxy_ssl_protocols TLSv1.3;
    server {{
        listen 127.0.0.1:{passing};
        location / {{ proxy_pass https://vendor; }}
    }}
    server {{
        listen 127.0.0.1:{caching};
        location / {{
            proxy_pass https://vendor;
            proxy_cache answers; proxy_cache_valid 200 10m;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
}}
"""


_HAPROXY = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend pods
    bind 127.0.0.1:{port}
    default_backend vendor
backend vendor
    http-reuse always
    server vendor 127.0.0.1:{vendor} ssl crt {both} ca-file {ca}/ca.pem verify required \
verifyhost localhost sni str(localhost) pool-max-conn 256
"""


def _listener(name: str, port: int) -> Mapping[str, Any]:
    store = {"@type": f"{_TYPES}.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"}
    filters = [_filter("router", "Router")]
    if name == "caching":
        filters.insert(0, _filter("cache", "CacheConfig", typed_config=store))
    host = {
        "name": "vendor",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": name}}],
    }
    connections = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [host]},
        "http_filters": filters,
    }
    first = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": connections,
    }
    return {"name": name, "address": _address(port), "filter_chains": [{"filters": [first]}]}


def _cluster(name: str, vendor: int, certificates: Path) -> dict[str, Any]:
    shown = {
        "certificate_chain": {"filename": str(certificates / "client.pem")},
        "private_key": {"filename": str(certificates / "client.key")},
    }
    tls = {
        "@type": f"{_TYPES}.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "localhost",
        "common_tls_context": {
            "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": [shown],
            "validation_context": {"trusted_ca": {"filename": str(certificates / "ca.pem")}},
        },
    }
    endpoint = {"endpoint": {"address": _address(vendor)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }


def _at_the_vendor(token: str) -> dict[str, Any]:
    """What the vendor is told besides, and what it says besides, so that answers may be kept."""
    dated = "%START_TIME(%a, %d %b %Y %H:%M:%S GMT)%"
    mutations = {
        "request_mutations": [_header("authorization", f"Bearer {token}")],
        "response_mutations": [_header("cache-control", "max-age=600"), _header("date", dated)],
    }
    filters = [_filter("header_mutation", "HeaderMutation", mutations=mutations)]
    filters += [_filter("upstream_codec", "UpstreamCodec")]
    name = "upstreams.http.v3.HttpProtocolOptions"
    options = {
        "@type": f"{_TYPES}.{name}",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": filters,
    }
    return {"typed_extension_protocol_options": {f"envoy.extensions.{name}": options}}


def _header(key: str, value: str) -> Mapping[str, Any]:
    header = {"key": key, "value": value}
    return {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def _filter(room: str, name: str, **more: Any) -> Mapping[str, Any]:
    typed = {"@type": f"{_TYPES}.filters.http.{room}.v3.{name}", **more}
    return {"name": f"envoy.filters.http.{room}", "typed_config": typed}


def _address(port: int) -> Mapping[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
