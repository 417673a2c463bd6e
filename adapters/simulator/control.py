"""The control listener: plain HTTP on loopback, to cut a vendor with curl while it runs.

curl localhost:9541/                                                    what is going on
curl -X PUT localhost:9541/fault/hang                                   break it
curl -X PUT localhost:9541/fault/latency -d '{"delay_s": 0.8}'          … with knobs
curl -X DELETE localhost:9541/fault                                     mend it
"""

import json
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from adapters.simulator.faults import FAULTS
from adapters.simulator.vendor import SimulatedVendor


class Control:
    """Serves one vendor's switches for as long as it is open."""

    def __init__(self, vendor: SimulatedVendor, *, port: int = 0) -> None:
        self._vendor = vendor
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """The port that it listens on."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/", self._state),
                web.put("/fault/{name}", self._break),
                web.delete("/fault/{name}", self._mend),
                web.delete("/fault", self._mend),
                web.delete("/traffic", self._forget),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(state(self._vendor), dumps=_indented)

    async def _break(self, request: web.Request) -> web.Response:
        kind = FAULTS.get(request.match_info["name"])
        if kind is None:
            return _problem(404, f"There is no such fault. There are: {', '.join(FAULTS)}")
        if request.query_string:
            return _problem(400, "Knobs go into the body, as JSON.")
        try:
            fault = kind.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            knobs = ", ".join(kind.model_fields)
            return _problem(400, f"{'; '.join(wrong)}. The knobs are: {knobs}")
        await self._vendor.faults.set(fault)
        return await self._state(request)

    async def _mend(self, request: web.Request) -> web.Response:
        await self._vendor.faults.clear(request.match_info.get("name"))
        return await self._state(request)

    async def _forget(self, request: web.Request) -> web.Response:
        self._vendor.traffic.forget()
        return await self._state(request)


def state(vendor: SimulatedVendor) -> dict[str, Any]:
    """What runs, what is broken, and what was asked. No customer's data."""
    traffic = vendor.traffic
    return {
        "vendor": vendor.shape,
        "version": vendor.version,
        "base_url": vendor.base_url,
        "token_url": vendor.token_url,
        "faults": [{"name": one.name, **one.model_dump()} for one in vendor.faults.in_force],
        "faults_to_try": {name: kind().model_dump() for name, kind in FAULTS.items()},
        "requests": dict(traffic.counts),
        "replies": {str(status): count for status, count in sorted(traffic.replies.items())},
        "in_flight": traffic.in_flight,
        "most_in_flight": traffic.most_in_flight,
    }


def _indented(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status, dumps=_indented)
