"""The identity provider gives a token and says that it expires in `abc`. The pretend vendor forgets
the tokens that it gave, and issues the next ones so. A token of unknown life is not used: the pod
is told `auth`.
"""

from tests.chaos.issuer import OfTheIssuer
from tests.chaos.lies import TokenSays


class TokenExpiryUnreadable(OfTheIssuer):
    vendor_faults = (TokenSays(said={"expires_in": "abc"}),)
