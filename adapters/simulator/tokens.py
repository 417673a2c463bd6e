"""The vendor's token endpoint: OAuth2 client credentials, with every client really verified.

Source: RFC 6749 (2.3.1, 4.4), RFC 7523 (private_key_jwt), RFC 8705 (tls_client_auth).
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from adapters.simulator.assertions import ASSERTION_TYPE, AssertionVerifier, PublicKey
from adapters.simulator.reply import Reply, as_json, oauth_error


class Refused(Exception):  # noqa: N818  (the client's fault, told by 401)
    """The client is not who it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """Who may have tokens, and how it proves who it is. It may use every method it can."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    certificate_name: str | None = None
    """Common name of its certificate, for `tls_client_auth`; `None`: it cannot use that."""
    signing_key: PublicKey | None = field(default=None, repr=False)
    """Verifies its assertions, for `private_key_jwt`; `None`: it cannot use that."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What came to the token endpoint."""

    method: str
    body: bytes = field(repr=False)
    content_type: str
    authorization: str | None = field(repr=False)
    certificate_name: str | None
    """Common name of the certificate that the client showed."""


class TokenEndpoint:
    """Gives out bearer tokens that expire, and knows them again."""

    def __init__(
        self,
        client: RegisteredClient,
        *,
        lifetime_s: float,
        now: Callable[[], datetime],
        url: Callable[[], str],
    ) -> None:
        self.client = client
        self.lifetime_s = lifetime_s
        self._now = now
        self._assertions = AssertionVerifier(audience=url)
        self._expiry: dict[str, datetime] = {}

    def accepts(self, authorization: str | None) -> bool:
        """Whether a request for data carries a token that is still good."""
        kind, _, token = (authorization or "").partition(" ")
        expiry = self._expiry.get(token)
        return kind.lower() == "bearer" and expiry is not None and self._now() < expiry

    def revoke_all(self) -> None:
        """Every token given out so far is void, before its time."""
        self._expiry.clear()

    def answer(self, request: TokenRequest) -> Reply:
        if request.method != "POST":
            return replace(oauth_error(405, "invalid_request"), headers={"Allow": "POST"})
        if request.content_type != "application/x-www-form-urlencoded":
            return oauth_error(400, "invalid_request")
        try:
            form = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True))
        except UnicodeDecodeError:
            return oauth_error(400, "invalid_request")
        try:
            self._verify(request, form)
        except Refused as refusal:
            return oauth_error(401, "invalid_client", error_description=str(refusal))
        if form.get("grant_type") != "client_credentials":
            return oauth_error(400, "unsupported_grant_type")
        return self._issue(form.get("scope"))

    def _issue(self, scope: str | None) -> Reply:
        now = self._now()
        self._expiry = {token: expiry for token, expiry in self._expiry.items() if now < expiry}
        token = secrets.token_urlsafe(32)
        self._expiry[token] = now + timedelta(seconds=self.lifetime_s)
        body: dict[str, Any] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": max(1, int(self.lifetime_s)),
        }
        if scope is not None:
            body["scope"] = scope
        return as_json(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _verify(self, request: TokenRequest, form: Mapping[str, str]) -> None:
        """Raises `Refused` unless one way of proving holds; more than one way is refused too."""
        if request.authorization is not None:
            if "client_secret" in form or "client_assertion" in form:
                raise Refused("one method at a time")
            self._verify_secret(*_basic(request.authorization))
        elif "client_assertion" in form:
            self._verify_assertion(form)
        elif "client_secret" in form:
            self._verify_secret(form.get("client_id", ""), form["client_secret"])
        else:
            self._verify_certificate(request, form)

    def _verify_secret(self, client_id: str, secret: str) -> None:
        expected = self.client.client_secret
        if expected is None or client_id != self.client.client_id:
            raise Refused("no such client")
        if not hmac.compare_digest(secret.encode(), expected.encode()):
            raise Refused("wrong secret")

    def _verify_certificate(self, request: TokenRequest, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.client.client_id:
            raise Refused("no such client")
        registered = self.client.certificate_name
        if registered is None or request.certificate_name != registered:
            raise Refused("another certificate is registered")

    def _verify_assertion(self, form: Mapping[str, str]) -> None:
        key = self.client.signing_key
        if key is None or form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refused("no assertion of that type")
        claims = self._assertions.verify(form["client_assertion"], key, self._now())
        if claims is None or claims != self.client.client_id:
            raise Refused("the assertion does not hold")


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret; both were form-encoded before (RFC 6749, section 2.3.1)."""
    kind, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("unreadable header") from None
    if kind.lower() != "basic" or not colon:
        raise Refused("unreadable header")
    return unquote_plus(client_id), unquote_plus(secret)
