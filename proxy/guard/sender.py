"""The shape of every layer of a guard: it takes a request and gives a reply."""

from typing import Protocol, TypeVar

from adapters.call import Call

Request_contra = TypeVar("Request_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)


class Sender(Protocol[Request_contra, Reply_co]):
    """Who is asked: a vendor, a token endpoint, a database, or a layer in front of one of them."""

    async def send(self, request: Request_contra, call: Call, /) -> Reply_co:
        """The reply, or `LookupFailed`, at the latest at the end of the call's budget."""
        ...
