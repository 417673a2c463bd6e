"""The assertion with which `private_key_jwt` proves who asks for a token. Source: RFC 7523."""

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign

from config.settings import OAuth2
from proxy.credentials.signing import SigningKey

ASSERTION_LIFE_S = 60
CLOCK_SKEW_S = 30
"""An assertion is dated back by this much, for an issuer whose clock is behind ours refuses one
"from the future". Its life ahead is what issuers commonly allow, at the most."""


class Assertion(PrivateKeyJWT):  # type: ignore[misc]  # authlib ships no types
    """A short-lived assertion with an id of its own, signed by a key object."""

    def __init__(self, oauth2: OAuth2, now: datetime) -> None:
        super().__init__(oauth2.audience)
        self._key_id = oauth2.signing_key_id
        self._now = now

    def sign(self, auth: Any, token_endpoint: str) -> str:
        signing_key: SigningKey = auth.client_secret
        assertion: str = private_key_jwt_sign(
            signing_key.key,
            client_id=auth.client_id,
            token_endpoint=token_endpoint,
            alg=signing_key.algorithm,
            claims={},  # authlib writes the `jti` into it, and would use one for ever
            header={"typ": "JWT"} | ({"kid": self._key_id} if self._key_id else {}),
            issued_at=int(self._now.timestamp()) - CLOCK_SKEW_S,
            expires_in=CLOCK_SKEW_S + ASSERTION_LIFE_S,
        )
        return assertion
