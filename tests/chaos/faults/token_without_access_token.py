"""The identity provider answers 200 and well-formed JSON, and there is no token in it. The pretend
vendor forgets the tokens that it gave, and issues none in that way. The pod is told `auth`, and
nothing that is no token is ever sent to the vendor.
"""

from tests.chaos.issuer import OfTheIssuer
from tests.chaos.lies import TokenSays


class TokenWithoutAccessToken(OfTheIssuer):
    vendor_faults = (TokenSays(said={"access_token": None}),)
