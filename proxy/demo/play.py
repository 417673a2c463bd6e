"""What only the demo's admin listener has: routes that break a pretend vendor, and mend it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import aiohttp
from aiohttp import web

from proxy.http.admin import Extension, json_answer
from proxy.http.door import Route, Visit, body
from proxy.http.problems import Problem, ProblemType, invalid

FAULTS: Final[Mapping[str, tuple[str, Mapping[str, float]]]] = {
    "cut": ("refuse", {}),
    "slow": ("latency", {"delay_s": 0.12, "jitter_s": 0.08}),
}
"""Name on the page → name and knobs of the simulator's."""
GONE: Final = "gone"
"""Instead of a fault: the process of that vendor does not answer."""
_SHOWN: Final = {fault: name for name, (fault, _) in FAULTS.items()}
_BODY_BYTES = 1024
_WITHIN_S = 5.0
_PATIENCE = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class Play:
    """`controls`: URL of each pretend vendor's control listener."""

    controls: Mapping[str, str]
    certificate_url: str
    """A `PUT` there rotates the client certificate."""

    def extension(self) -> Extension:
        return Extension(
            routes=(
                Route("GET", "/v1/demo", self.look),
                Route("POST", "/v1/demo/vendors/{name}", self.put),
                Route("POST", "/v1/demo/certificate", self.rotate),
            ),
            script=files("proxy.demo").joinpath("play.js").read_text(encoding="utf-8"),
        )

    async def look(self, visit: Visit) -> web.Response:
        """Which fault each vendor has now."""
        vendors = {}
        for name, url in self.controls.items():
            try:
                vendors[name] = _fault(await _ask("GET", f"{url}/"))
            except Problem:
                vendors[name] = GONE
        return json_answer({"vendors": vendors})

    async def put(self, visit: Visit) -> web.Response:
        """`{"fault": "cut" | "slow" | null}`: this one from now on, and no other."""
        url = self.controls.get(visit.params["name"])
        if url is None:
            raise Problem(ProblemType.UNKNOWN_CONNECTION, f"there are: {', '.join(self.controls)}")
        wanted = await _wanted(visit)
        state = await _ask("DELETE", f"{url}/fault")
        if wanted is not None:
            fault, knobs = FAULTS[wanted]
            state = await _ask("PUT", f"{url}/fault/{fault}", knobs)
        return json_answer({"fault": _fault(state)})

    async def rotate(self, visit: Visit) -> web.Response:
        """Another client certificate; the sidecar takes it up as it would any."""
        await body(visit, most=_BODY_BYTES, within_s=_WITHIN_S)
        return json_answer(await _ask("PUT", self.certificate_url))


async def _wanted(visit: Visit) -> str | None:
    sent = await body(visit, most=_BODY_BYTES, within_s=_WITHIN_S)
    try:
        wanted = json.loads(sent)["fault"]
    except (ValueError, TypeError, KeyError):
        raise invalid('send {"fault": "cut"}, "slow" or null', pointer="") from None
    if wanted is not None and wanted not in list(FAULTS):
        raise invalid('must be "cut", "slow" or null', pointer="/fault")
    return None if wanted is None else str(wanted)


async def _ask(method: str, url: str, content: object = None) -> Any:
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.request(method, url, json=content) as reply,
        ):
            reply.raise_for_status()
            return await reply.json()
    except (aiohttp.ClientError, TimeoutError):
        raise Problem(
            ProblemType.UNAVAILABLE, "that part of the demo does not answer any more; start it anew"
        ) from None


def _fault(state: Mapping[str, Any]) -> str | None:
    """The first of those in force, as the page calls it."""
    names = [one["name"] for one in state["faults"]]
    return _SHOWN.get(names[0], names[0]) if names else None
