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
