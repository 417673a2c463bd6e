"""One slot per exchange, so that a slow vendor takes neither our memory nor its own down."""

from adapters.call import Call
from adapters.exchange import Exchange, VendorReply, VendorRequest
from proxy.exchange.slots import Slots


class Bulkhead(Exchange):
    """Lets as many exchanges through as there are slots; the others wait, within their budget."""

    def __init__(self, inner: Exchange, *, slots: Slots) -> None:
        self.inner = inner
        self._slots = slots

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        await self._slots.take(call.deadline)
        try:
            return await self.inner.send(request, call)
        finally:
            self._slots.give_back()

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return self.inner.within(request, link)
