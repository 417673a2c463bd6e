"""The identity provider gives tokens that the vendor does not accept, as where their keys no longer
match. The pretend vendor forgets the tokens that it gave, and issues some that it never heard of.
The pod is told `auth`; there is about one new token a second, whatever the load.
"""

from tests.chaos.issuer import OfTheIssuer
from tests.chaos.lies import TokenSays


class TokenRefusedByVendor(OfTheIssuer):
    vendor_faults = (TokenSays(said={"access_token": "of-another-realm"}),)
