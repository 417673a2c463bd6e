"""The identity provider accepts the request for a token and never answers. The pretend vendor
forgets the tokens that it gave, and hangs on the request for the next. The pod is told `auth`
before its deadline; the vendor's own breaker has nothing to say about it.
"""

from adapters.simulator.faults import Hang
from tests.chaos.issuer import OfTheIssuer


class TokenEndpointHung(OfTheIssuer):
    vendor_faults = (Hang(where="token"),)
