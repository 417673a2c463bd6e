"""What the vendors' rows mean was decided twice: here, and in `adapters.tmf`. Do both agree?"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product as every
from uuid import UUID

import pytest

from adapters.amdocs_adapter import AmdocsBSSAdapter
from adapters.call import Call
from adapters.cerillion_adapter import CerillionBSSAdapter
from adapters.csg_adapter import CSGBSSAdapter
from adapters.exchange import ScriptedExchange, VendorReply, VendorRequest
from adapters.identity import VendorIds
from adapters.lookup import collect
from adapters.outcome import Found, LookupFailed, Missing, Reason
from adapters.ports import Ports
from adapters.simulator.answering import Answerer, Question
from adapters.simulator.population import (
    CUSTOMERS,
    SHAPES,
    Shape,
    customer_id,
    identity_rows,
    truth,
)
from adapters.simulator.shapes import BASE_PATHS, MANNERS, Version
from adapters.simulator.vendor_data import VendorData
from adapters.tmf.adapter import TmfAdapter

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VERSIONS: tuple[Version, ...] = ("v4", "v5")
KINDS = list(every(SHAPES, VERSIONS))
ADAPTERS = {
    "amdocs": AmdocsBSSAdapter,
    "cerillion": CerillionBSSAdapter,
    "csg": CSGBSSAdapter,
}


@dataclass(frozen=True)
class Known:
    """An identity map of what Pedkai's database would hold."""

    ids: Mapping[UUID, str]

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds({one: self.ids[one] for one in customer_ids if one in self.ids})

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


def adapter_of(shape: Shape, version: Version) -> TmfAdapter:
    data = VendorData.build(shape, version, tenant=f"{shape}_demo", now=NOW)
    answerer = Answerer(data, MANNERS[shape])

    def answer(request: VendorRequest) -> VendorReply:
        path = BASE_PATHS[shape] + adapter.profile.path_of(request.api) + request.path
        reply = answerer.answer(Question(path, request.query, origin="https://vendor.test"))
        if reply.status not in (200, 206, 404, 416):
            raise LookupFailed(Reason.VENDOR_ERROR, str(reply.status))
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return VendorReply(
            reply.status,
            {**headers, "content-type": reply.content_type},
            json.loads(reply.body, parse_float=Decimal, parse_int=Decimal),
        )

    ports = Ports(
        tenant=data.tenant,
        connection=shape,
        identity=Known(dict(identity_rows(data.tenant, shape))),
        exchange=ScriptedExchange(answer),
        tmf={"version": version},
    )
    adapter: TmfAdapter = ADAPTERS[shape](ports)
    return adapter


def call() -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + 60, asked_at=NOW)


@pytest.mark.parametrize(("shape", "version"), KINDS)
async def test_every_customer_is_billed_what_is_true(shape: Shape, version: Version) -> None:
    adapter, tenant = adapter_of(shape, version), f"{shape}_demo"
    ids = [customer_id(tenant, n) for n in range(CUSTOMERS)]
    lookups = await collect(adapter.look_up_billing, ids, call())
    for n, lookup in enumerate(lookups.values()):
        fact = truth(tenant, n, NOW)
        if fact.known:
            assert isinstance(lookup, Found), n
            assert lookup.value.monthly_fee == fact.monthly_fee, n
        else:
            assert lookup == Missing(), n


@pytest.mark.parametrize(("shape", "version"), KINDS)
async def test_exactly_the_true_disputes_are_found(shape: Shape, version: Version) -> None:
    adapter, tenant = adapter_of(shape, version), f"{shape}_demo"
    ids = [customer_id(tenant, n) for n in range(CUSTOMERS)]
    lookups = await collect(adapter.look_up_disputes, ids, call())
    found = [
        n
        for n, lookup in enumerate(lookups.values())
        if isinstance(lookup, Found) and lookup.value.active
    ]
    assert found == [n for n in range(CUSTOMERS) if truth(tenant, n, NOW).disputed]
