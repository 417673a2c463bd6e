"""A login page answers in place of the identity provider, status 200. The pretend vendor forgets
the tokens that it gave, and answers the request for the next with HTML. The pod is told `auth`.
"""

from adapters.simulator.faults import Garbage
from tests.chaos.issuer import OfTheIssuer


class TokenEndpointHtml(OfTheIssuer):
    vendor_faults = (Garbage(where="token", kind="html"),)
