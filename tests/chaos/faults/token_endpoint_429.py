"""The identity provider limits its callers: 429, and a `Retry-After`. The pretend vendor forgets
the tokens that it gave, and answers so to the request for the next. The pod is told `auth`, and the
identity provider is left alone for as long as it said.
"""

from adapters.simulator.faults import TooMany
from tests.chaos.issuer import OfTheIssuer


class TokenEndpoint429(OfTheIssuer):
    vendor_faults = (TooMany(where="token", retry_after="1"),)
