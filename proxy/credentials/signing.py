"""The key that signs `private_key_jwt` assertions.

Source: RFC 7523, section 3; RFC 7518, section 3.1 (algorithms).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:  # only who signs assertions loads it
    from joserfc.jwk import ECKey, RSAKey

SMALLEST_RSA_BITS = 2048

_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key object, for authlib takes an EC key in no other form, and its algorithm."""

    key: "ECKey | RSAKey" = field(repr=False)
    algorithm: str


def parse_signing_key(content: bytes) -> SigningKey | str:
    """An RSA or EC key in PEM, or what is wrong with it."""
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415  (only who signs assertions loads it)

    try:
        private = load_pem_private_key(content, password=None)
    except TypeError:
        return "is encrypted"
    except (ValueError, UnsupportedAlgorithm):
        return "is not a PEM private key"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= SMALLEST_RSA_BITS:
        return SigningKey(RSAKey.import_key(content), "RS256")
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return SigningKey(ECKey.import_key(content), _CURVES[private.curve.name])
    return "is neither RSA of 2048 bits or more nor EC on P-256, P-384 or P-521"
