"""Verifying a client's signed assertion (RFC 7523, `private_key_jwt`).

Written out on `cryptography`, without the library that signs on the other side, so that a mistake
of that library would show.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = timedelta(minutes=10)


@dataclass(slots=True)
class AssertionVerifier:
    """Remembers the assertions it has seen, because each may be used once."""

    audience: Callable[[], str]
    """The token endpoint's own URL."""
    _seen: dict[str, datetime] = field(default_factory=dict, repr=False)

    def verify(self, assertion: str, key: PublicKey, now: datetime) -> str | None:
        """The client id that the assertion proves; `None` when it does not hold at `now`."""
        try:
            head, claims, signature = assertion.split(".")
            header, body = _json(head), _json(claims)
            _verify_signature(key, header["alg"], f"{head}.{claims}".encode(), _bytes(signature))
            return self._verify_claims(body, now)
        except (ValueError, KeyError, TypeError, OverflowError, InvalidSignature):
            return None

    def _verify_claims(self, claims: dict[str, Any], now: datetime) -> str:
        """The subject. Raises `ValueError`, `KeyError` or `TypeError` when a claim is wrong."""
        expiry = datetime.fromtimestamp(claims["exp"], tz=UTC)
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        holds = (
            now < expiry <= now + LONGEST_LIFE
            and claims["iss"] == claims["sub"]
            and self.audience() in audience
        )
        if not holds:
            raise ValueError("a claim does not hold")
        self._seen = {name: until for name, until in self._seen.items() if now < until}
        if self._seen.setdefault(str(claims["jti"]), expiry) is not expiry:
            raise ValueError("used before")
        return str(claims["sub"])


def _verify_signature(key: PublicKey, algorithm: str, signed: bytes, signature: bytes) -> None:
    """ES256 or RS256, as the key is. Raises `InvalidSignature` or `ValueError`."""
    if isinstance(key, rsa.RSAPublicKey) and algorithm == "RS256":
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == "ES256":
        if len(signature) != 64:
            raise ValueError("not a signature of P-256")
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    else:
        raise ValueError("another algorithm than the key's")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None


def _json(text: str) -> dict[str, Any]:
    value = json.loads(_bytes(text))
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value
