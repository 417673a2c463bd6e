"""One pretend vendor as a process of its own: `python -m adapters.simulator --help`.

It says `listening …` when it is ready, and ends with exit 0 on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.simulator.assertions import PublicKey
from adapters.simulator.certificates import DEMO_CLIENT
from adapters.simulator.control import Control
from adapters.simulator.population import SHAPES
from adapters.simulator.tls import VendorTls
from adapters.simulator.tokens import RegisteredClient
from adapters.simulator.vendor import SimulatedVendor

_EPILOG = """\
example:
  bss-sidecar certs make certs
  echo not-so-secret > client-secret
  python -m adapters.simulator --shape cerillion --certs certs --port 9999 \\
    --client-id pedkai --client-secret-file client-secret --latency 15ms
"""


def seconds(text: str) -> float:
    """Of `15ms` or `1.5s`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text)
    if match is None:
        raise argparse.ArgumentTypeError("write it with its unit, such as 15ms or 1.5s")
    return float(match[1]) * (0.001 if match[2] == "ms" else 1)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="python -m adapters.simulator",
        description="A pretend vendor over mutual TLS and OAuth2. For demos and tests only.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("--shape", required=True, choices=SHAPES, help="whose APIs it speaks")
    add("--version", default="v4", choices=("v4", "v5"), help="of the TM Forum APIs; v4")
    add("--tenant", help="whose customers it has; <shape>_demo unless given")
    add("--host", default="127.0.0.1", help="where it listens; 127.0.0.1")
    add("--port", type=int, default=0, help="0, unless given, takes a free one")
    add("--control-port", type=int, help="plain HTTP on 127.0.0.1: faults and counters; 0: free")
    add("--certs", type=Path, required=True, help="folder with ca.pem, server.pem, server.key")
    add("--client-id", required=True, help="the OAuth2 client that it knows")
    add("--client-secret-file", type=Path, required=True, help="what that client proves itself by")
    add(
        "--client-certificate-name",
        default=DEMO_CLIENT,
        help=f"common name (tls_client_auth); {DEMO_CLIENT}",
    )
    add("--client-public-key-file", type=Path, help="PEM, EC or RSA (private_key_jwt)")
    add("--token-lifetime", type=seconds, default=300.0, help="of what it issues, as 90s; 300s")
    add("--latency", type=seconds, default=0.0, help="thinking time of each request, as 15ms; none")
    return arguments


def registered_client(options: argparse.Namespace) -> RegisteredClient:
    key_file: Path | None = options.client_public_key_file
    return RegisteredClient(
        client_id=options.client_id,
        client_secret=options.client_secret_file.read_text(encoding="utf-8").strip(),
        certificate_name=options.client_certificate_name,
        signing_key=None if key_file is None else public_key(key_file.read_bytes()),
    )


def public_key(pem: bytes) -> PublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise TypeError("assertions are signed with an EC or an RSA key")
    return key


async def run(options: argparse.Namespace) -> None:
    """Until SIGTERM or SIGINT."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, end.set)
    vendor = SimulatedVendor(
        options.shape,
        options.version,
        tls=VendorTls.in_folder(options.certs),
        client=registered_client(options),
        tenant=options.tenant,
        host=options.host,
        port=options.port,
        latency_s=options.latency,
        token_lifetime_s=options.token_lifetime,
    )
    async with vendor:
        control = Control(vendor, port=options.control_port or 0)
        where = ""
        if options.control_port is not None:
            where = f" control=http://127.0.0.1:{await control.start()}"
        say(f"listening {vendor.shape} {vendor.version} {vendor.base_url}{where}")
        try:
            await end.wait()
        finally:
            await control.stop()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    asyncio.run(run(parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
