"""nginx that demands a client's certificate (Debian: `apt install nginx-light`)."""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.strict import GATES, Gate, NotHere, StrictServer, kept_running, wait_until

_SYSTEM = f"{os.defpath}:/usr/sbin:/usr/local/sbin"
_SAYS = (
    '{"serial": "$ssl_client_serial", "subject": "$ssl_client_s_dn", "protocol": "$ssl_protocol"}'
)


def found() -> str:
    program = shutil.which("nginx") or shutil.which("nginx", path=_SYSTEM)
    if program is None:
        raise NotHere("no nginx on this machine (Debian: apt install nginx-light)")
    return program


@contextmanager
def running_nginx(folder: Path, certificates: Path) -> Iterator[StrictServer]:
    """`certificates` holds `server-ec`, `server-rsa` and `ca.pem`, whose clients are let in."""
    program = found()
    with ExitStack() as stack:
        sockets = {gate: stack.enter_context(_reserved(gate.host)) for gate in GATES}
        ports: Mapping[Gate, int] = {gate: one.getsockname()[1] for gate, one in sockets.items()}
        file = folder / "nginx.conf"
        file.write_text(_configuration(folder, certificates, ports))
        log = folder / "said"
        command: list[str | Path] = [program, "-p", folder, "-c", file, "-e", "stderr"]
        stack.enter_context(kept_running(command, log))
        wait_until((folder / "pid").exists, log)
        yield StrictServer(ports)


@contextmanager
def _reserved(host: str) -> Iterator[socket.socket]:
    """Bound to a free port and not listening: only who shares it (`reuseport`) can have it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, 0))
        yield bound


def _configuration(folder: Path, certificates: Path, ports: Mapping[Gate, int]) -> str:
    servers = "\n".join(_server(gate, port, certificates) for gate, port in ports.items())
    temporary = "\n".join(
        f"{kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
daemon off;
master_process off;
pid {folder / "pid"};
events {{ worker_connections 256; }}
http {{
    access_log off;
    {temporary}
    default_type application/json;
    {servers}
}}
"""


def _server(gate: Gate, port: int, certificates: Path) -> str:
    host = f"[{gate.host}]" if ":" in gate.host else gate.host
    lines: Sequence[str] = (
        f"listen {host}:{port} ssl reuseport;",
        f"ssl_protocols {gate.protocol};",
        f"ssl_certificate {certificates}/server-{gate.key}.pem;",
        f"ssl_certificate_key {certificates}/server-{gate.key}.key;",
        f"ssl_client_certificate {certificates}/ca.pem;",
        "ssl_verify_client on;",
        "ssl_verify_depth 3;",
        f"location / {{ return 200 '{_SAYS}'; }}",
    )
    return "server {\n" + "\n".join(lines) + "\n}"
