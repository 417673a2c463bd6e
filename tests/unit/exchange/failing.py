"""An exchange that is to fail, and what its failure must not say."""

import traceback

import pytest

from adapters.exchange import Api, Exchange, VendorRequest
from adapters.outcome import LookupFailed
from tests.unit.exchange.conftest import MakeWire
from tests.unit.exchange.servers import Script, call, speaking

CANARY = "canary-4711"
ASKED = VendorRequest(Api.PRODUCT_INVENTORY, "product", (("relatedParty.id", CANARY),))


async def failure_of(
    wire: Exchange, request: VendorRequest = ASKED, budget_s: float = 30
) -> LookupFailed:
    """The failure of an exchange, in which nothing of request or reply is to be found."""
    with pytest.raises(LookupFailed) as failed:
        await wire.send(request, call(budget_s))
    told = "".join(traceback.format_exception(failed.value))
    assert CANARY not in told + repr(failed.value) + str(failed.value.__context__)
    return failed.value


async def failure_after(make_wire: MakeWire, script: Script, **how: float) -> LookupFailed:
    async with speaking(script) as origin:
        return await failure_of(make_wire(origin, **how))
