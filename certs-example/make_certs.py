"""Makes a throwaway CA, and a server and a client certificate that it issued.

    python certs-example/make_certs.py OUT_DIR [--name vendor.example --name 192.0.2.7]

For trying things out only: the CA's key is thrown away when this ends, so nothing can be renewed.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from adapters.simulator.certificates import (
    LOOPBACK_NAMES,
    standing_in_the_way,
    write_demo_certificates,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a throwaway CA and its leaves.")
    parser.add_argument("folder", metavar="OUT_DIR", type=Path)
    parser.add_argument(
        "--name",
        action="append",
        dest="names",
        help=f"DNS name or IP address of the server; {', '.join(LOOPBACK_NAMES)} unless given",
    )
    parser.add_argument("--force", action="store_true", help="write over what is there")
    options = parser.parse_args()
    in_the_way = None if options.force else standing_in_the_way(options.folder)
    if in_the_way is not None:
        parser.exit(1, f"{parser.prog}: {in_the_way}\n")
    now = datetime.now(tz=UTC)  # noqa: TID251  (a script is its own edge)
    write_demo_certificates(options.folder, now=now, names=options.names or LOOPBACK_NAMES)
    for path in sorted(options.folder.iterdir()):
        if path.suffix in {".pem", ".key"}:
            print(f"{path}  {path.stat().st_mode & 0o777:04o}")


if __name__ == "__main__":
    main()
