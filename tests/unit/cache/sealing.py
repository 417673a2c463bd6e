"""The format of a sealed entry once more, written from its description with other means.

HKDF is RFC 5869 by `hmac`, so that what the tests expect is not what the code happens to do.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxy.cache.keys import KeyRing
from proxy.cache.seal import Opened, Refused, Sealer

NAME = b"bss1:a-name"
SCOPE = b"a-scope"
NOW_MS = 1_790_000_000_000
LIFE_MS = 30_000
HEADER_BYTES = 33


def key(number: int) -> bytes:
    return sha256(b"a key of the tests" + number.to_bytes(8)).digest()


def ring(*numbers: int) -> KeyRing:
    return KeyRing(tuple(key(number) for number in numbers or (1,)))


def seal(sealer: Sealer, plain: bytes = b"plain", *, name: bytes = NAME) -> bytes:
    return sealer.seal(
        plain, name=name, scope=SCOPE, issued_at_ms=NOW_MS, expires_at_ms=NOW_MS + LIFE_MS
    )


def opened(
    sealer: Sealer,
    sealed: bytes,
    *,
    name: bytes = NAME,
    scope: bytes = SCOPE,
    now_ms: int = NOW_MS,
) -> Opened | Refused:
    return sealer.open(sealed, name=name, scope=scope, now_ms=now_ms)


def hkdf(master: bytes, salt: bytes, label: bytes, length: int) -> bytes:
    """RFC 5869 for at most one block."""
    extracted = hmac.digest(salt or bytes(32), master, "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")[:length]


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """One who holds a master key, and writes what they like under it."""

    master: bytes
    salt: bytes = bytes(range(16))
    nonce: bytes = bytes(12)
    version: bytes = b"\x01"

    @property
    def header(self) -> bytes:
        key_id = hkdf(self.master, b"", b"bss-sidecar cache 1: key id", 4)
        return self.version + key_id + self.salt + self.nonce

    @property
    def aead(self) -> AESGCM:
        return AESGCM(hkdf(self.master, self.salt, b"bss-sidecar cache 1: subkey", 32))

    def seal(
        self, plain: bytes, *, issued_at_ms: int = NOW_MS, expires_at_ms: int = NOW_MS + LIFE_MS
    ) -> bytes:
        inside = issued_at_ms.to_bytes(8) + expires_at_ms.to_bytes(8)
        inside += len(plain).to_bytes(4) + plain
        inside += bytes(-len(inside) % 128)
        bound = self.header + len(NAME).to_bytes(4) + NAME + SCOPE
        return self.header + self.aead.encrypt(self.nonce, inside, bound)

    def open(self, sealed: bytes) -> tuple[int, int, bytes]:
        """When it was issued, when it expires, and the plain bytes with what is around them."""
        header, closed = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        subkey = AESGCM(hkdf(self.master, header[5:21], b"bss-sidecar cache 1: subkey", 32))
        bound = header + len(NAME).to_bytes(4) + NAME + SCOPE
        inside = subkey.decrypt(header[21:], closed, bound)
        return int.from_bytes(inside[:8]), int.from_bytes(inside[8:16]), inside[16:]
