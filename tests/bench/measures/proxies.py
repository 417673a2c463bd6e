"""Other proxies before the same vendor, and calls without any: what each costs for one request."""

import asyncio
import ctypes
import json
import os
import signal
from collections.abc import Mapping

from tests.bench.contenders import proxies
from tests.bench.contenders.direct import KINDS
from tests.bench.figures import Findings, Row, Sample
from tests.bench.load import Ask, Load
from tests.bench.measures import Measure
from tests.bench.measures.single import singles
from tests.bench.mounted import Setting
from tests.bench.processes import Program
from tests.bench.stage import HIT, PATIENT, PYTHON, Burst, Stage
from tests.bench.vendor import TOKEN
from tests.bench.vendor_rows import FIRST_ID, fee
from tests.servers.strict import NotHere

CONNECTIONS = 16
CUSTOMERS = 200
CACHED, PASSED = "from its cache", "mutual TLS to the vendor"
OURS = {CACHED: "sidecar, memory store", PASSED: "sidecar, no cache"}


async def _run(stage: Stage, rounds: int) -> Findings:
    (vendor,) = await stage.vendor("0ms")
    seconds = 1.0 if stage.full else 0.5
    bursts: dict[str, Burst] = {}
    absent: list[Row] = []

    def ask(name: str, program: Program, port: int, asks: list[Ask], hit: bytes = b"") -> None:
        load = Load(port=port, asks=asks, connections=CONNECTIONS, seconds=seconds, counts=hit)
        bursts[name] = stage.burst(program, load)

    for kind, store in ((CACHED, "memory"), (PASSED, "off")):
        more = {**PATIENT, "cache": {"store": store, "ttl": "4m"}}
        ours = await stage.sidecar(store, Setting(vendor_port=vendor), more=more)
        asks = singles(ours, numbers=CUSTOMERS)
        ask(f"{OURS[kind]}: {kind}", ours.program, ours.data_port, asks, _hit(kind, HIT))
    for name, started in {
        "nginx": proxies.nginx(stage, vendor),
        "HAProxy": proxies.haproxy(stage, vendor),
        "Envoy": proxies.envoy(stage, vendor, TOKEN),
    }.items():
        try:
            one = await started
        except NotHere as reason:
            absent.append(Row(name, note=str(reason)))
            continue
        bearer = [("Authorization", f"Bearer {TOKEN}")]
        if one.cache_port:
            headers = [] if name == "Envoy" else bearer
            ask(f"{name}: {CACHED}", one.program, one.cache_port, _asks(headers), one.hit)
        ask(f"{name}: {PASSED}", one.program, one.port, _asks(bearer))
    for kind in KINDS:
        bursts[f"{kind} in the pod, no proxy"] = await _direct(stage, kind, vendor, seconds)
    return _found(await stage.in_turn(rounds, bursts), absent)


def _hit(kind: str, marker: bytes) -> bytes:
    return marker if kind == CACHED else b""


def _asks(headers: list[tuple[str, str]]) -> list[Ask]:
    """The exchange that the sidecar has with the vendor."""
    return [
        Ask.get(
            f"/product?relatedParty.id={FIRST_ID + n}",
            headers=headers,
            holds=f'"value":{fee(n)}'.encode(),
        )
        for n in range(CUSTOMERS)
    ]


async def _direct(stage: Stage, kind: str, vendor: int, seconds: float) -> Burst:
    def settle() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.sched_setaffinity(0, {stage.cores.server})

    process = await asyncio.create_subprocess_exec(
        *(*PYTHON, "tests.bench.contenders.direct", kind),
        *("--certificates", str(stage.mounted.folder), "--token", TOKEN),
        *("--url", f"https://localhost:{vendor}/product"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=settle,
    )

    async def ended() -> None:
        if process.returncode is None:
            process.kill()
        await process.communicate()

    stage.stack.push_async_callback(ended)
    wanted = {"in_flight": CONNECTIONS, "seconds": seconds, "customers": CUSTOMERS}

    async def once() -> Mapping[str, float]:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(wanted).encode() + b"\n")
        told: Mapping[str, float] = json.loads(await process.stdout.readline())
        return told

    return once


def _found(seen: Mapping[str, Mapping[str, Sample]], absent: list[Row]) -> Findings:
    rows = []
    for name, figures in seen.items():
        kind = CACHED if name.endswith(CACHED) else PASSED
        ours = seen[f"{OURS[kind]}: {kind}"]
        ratio = (
            {}
            if ours is figures
            else {"the sidecar's CPU is": ours["cpu_us"].over(figures["cpu_us"])}
        )
        rows.append(Row(name, figures, ratios=ratio))
    return Findings([*rows, *absent])


MEASURES = (
    Measure(
        name="proxies",
        title="Other proxies, and none",
        run=_run,
        rounds=(3, 11),
        about_s=(33, 150),
        plot="cpu_us",
    ),
)
