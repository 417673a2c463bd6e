"""`python -m proxy`, and the command `bss-sidecar`."""

import sys

from proxy.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
