"""The identity provider went down and took its sessions with it: the vendor refuses the tokens that
are out, and no other can be had. Here the pretend vendor forgets the tokens that it gave, and a
relay of its own closes the token endpoint's port. The pod is told `auth`, and `breaker_open` once
the vendor has refused often enough.
"""

from tests.chaos.issuer import OfTheIssuer
from tests.chaos.ways import Refuse


class TokenEndpointDownAndTokensRevoked(OfTheIssuer):
    token_ways = (Refuse(),)
