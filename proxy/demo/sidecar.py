"""The sidecar of a demo that is kept: as any other, with buttons to break its vendors."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from config.load import environment
from proxy.demo.play import Play
from proxy.serving import Serving


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status, as of `bss-sidecar serve`."""
    parser = argparse.ArgumentParser(prog="python -m proxy.demo.sidecar", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--control", action="append", default=[], metavar="VENDOR=URL")
    parser.add_argument("--certificate", required=True, metavar="URL")
    asked = parser.parse_args(arguments)
    controls = dict(one.split("=", 1) for one in asked.control)
    play = Play(controls, asked.certificate)
    return Serving(
        path=asked.file,
        fail_open=False,
        env=environment(),
        out=sys.stdout,
        err=sys.stderr,
        extension=play.extension(),
    ).run()


if __name__ == "__main__":
    sys.exit(main())
