"""Every way in which a vendor fails, and vendors that spill personal data while they do."""

import json
from collections.abc import Mapping
from typing import ClassVar

from adapters.simulator import faults
from adapters.simulator.reply import JSON, Reply
from tests.integration.asking import BROKEN
from tests.servers.canaries import MARK


class Spills(faults.Fault):
    """The vendor puts personal data wherever it can."""

    name: ClassVar[str] = "spills"
    status: int = 200
    content_type: str = JSON

    async def around(self, visit: faults.Visit, answer: faults.Answer) -> Reply:
        text = f"{MARK} of {MARK} pays 73190.41"
        body = {"code": text, "reason": text, "message": text, "error": text, "access_token": 1}
        return Reply(
            status=self.status,
            body=json.dumps(body | {text: text}).encode(),
            content_type=self.content_type,
            headers={
                "Retry-After": text,
                "X-Total-Count": text,
                "Link": f'<https://{MARK}.example/{MARK}>; rel="next"',
                "Location": f"https://{MARK}.example/{MARK}",
                "WWW-Authenticate": text,
                "Set-Cookie": f"{MARK}={MARK}; Domain={MARK}.example",
            },
        )


SPILLS = {
    f"spills, {status}": Spills(status=status)
    for status in (200, 206, 302, 400, 401, 404, 416, 429, 500, 503)
} | {
    "spills, of no type": Spills(content_type=MARK),
    "spills, in no charset": Spills(content_type=f"application/json; charset={MARK}"),
}
OF_THE_TOKEN = {
    f"no token: {name}": fault.model_copy(update={"where": "token"})
    for name, fault in (
        *((name, SPILLS[name]) for name in ("spills, 200", "spills, 302", "spills, 401")),
        ("garbage", faults.Garbage()),
        ("never answers", faults.Hang()),
        ("resets", faults.Reset()),
    )
}
EVERY_FAULT: Mapping[str, faults.Fault] = {
    **{name: fault for name, (fault, _) in BROKEN.items()},
    "ignores its filters": faults.IgnoredFilter(),
    "has the same page for ever": faults.SamePageForEver(),
    **SPILLS,
    **OF_THE_TOKEN,
}
NO_HTTP = {
    "no status line": f"{MARK}\r\n\r\n",
    "a bad status": f"HTTP/1.1 {MARK} {MARK}\r\n\r\n",
    "a bad header": f"HTTP/1.1 200 OK\r\n{MARK} {MARK}\x00: {MARK}\r\n\r\n",
    "a bad length": f"HTTP/1.1 200 OK\r\nContent-Length: {MARK}\r\n\r\n",
    "a bad chunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{MARK}\r\n",
    "a bad encoding": f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{MARK}{MARK}",
    "a bad redirect": f"HTTP/1.1 302 {MARK}\r\nLocation: {MARK}://{MARK}:{MARK}/\r\n\r\n",
    "a long line": f"HTTP/1.1 200 {MARK * 9000}\r\n\r\n",
    "a short body": f"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{MARK}",
}
