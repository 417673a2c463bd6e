"""Asks a server that resets each connection as it is made, in a process of its own.

`python -m tests.servers.resetting PORT`: prints how often each reason came. What aborts a process
aborts this one, and no test's.
"""

import asyncio
import ssl
import sys
from collections import Counter

from adapters.outcome import LookupFailed
from config.settings import Wire
from proxy.exchange.transport import HttpRequest, Transport, open_session
from proxy.lifecycle import Stop, run

ASKERS = 16
QUESTIONS = 150


async def ask(port: int) -> Counter[str]:
    heard: Counter[str] = Counter()
    request = HttpRequest(method="GET", url=f"https://127.0.0.1:{port}/", headers={})
    async with open_session(ssl.create_default_context(), Wire()) as session:
        transport = Transport(session, timeout_s=5.0)

        async def asker() -> None:
            for _ in range(QUESTIONS):
                try:
                    await transport.fetch(request, body_bytes=1000)
                except LookupFailed as failure:
                    heard[failure.reason.value] += 1

        await asyncio.gather(*(asker() for _ in range(ASKERS)))
    return heard


def main(port: int) -> int:
    async def asking(_stop: Stop) -> int:
        print(dict(await ask(port)))  # noqa: T201  (what the test reads)
        return 0

    return run(asking)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
