"""How a client proves itself to a token endpoint, on authlib's `OAuth2Client`.

Source: RFC 6749, section 2.3.1; RFC 7523, section 3; RFC 8705, section 2.1.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import quote_plus

from authlib.oauth2.client import OAuth2Client

from adapters.outcome import NotAsked, Reason
from config.settings import OAuth2
from proxy.credentials.signing import SigningKey
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import HttpReply

Post: TypeAlias = Callable[[str, Mapping[str, str], str], Awaitable[HttpReply]]
"""Sends a form: URL, headers, urlencoded body. Raises `LookupFailed`."""

_AUTHLIB_METHODS = {"tls_client_auth": "none"}
"""With `tls_client_auth` the certificate speaks; the form carries no more than the client's id."""


async def request_token(
    oauth2: OAuth2, credentials: Credentials, post: Post, *, now: datetime
) -> HttpReply:
    """One client credentials request. The client is made anew each time, and its assertion too."""
    client = _Client(
        None,
        client_id=oauth2.client_id,
        client_secret=_proof(oauth2, credentials),
        token_endpoint_auth_method=_AUTHLIB_METHODS.get(oauth2.method, oauth2.method),
        scope=oauth2.scope,
    )
    client.post = post
    client.register_client_auth_method(("client_secret_basic", _basic))
    if oauth2.method == "private_key_jwt":
        from proxy.credentials.assertion import Assertion  # noqa: PLC0415  (50 modules, for it alone)

        client.register_client_auth_method(Assertion(oauth2, now))
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
    }  # a dict of its own: authlib writes the secret into the one it is given
    reply: HttpReply = await client.fetch_token(
        oauth2.token_url, grant_type="client_credentials", headers=headers
    )
    return reply


def _proof(oauth2: OAuth2, credentials: Credentials) -> str | SigningKey | None:
    if oauth2.method == "tls_client_auth":
        return None
    if oauth2.method == "private_key_jwt":
        if credentials.signing_key is None:
            raise NotAsked(Reason.AUTH, "private_key_jwt needs a signing key")
        return credentials.signing_key
    if credentials.client_secret is None:
        raise NotAsked(Reason.AUTH, f"{oauth2.method} needs a client secret")
    return credentials.client_secret.get_secret_value()


class _Client(OAuth2Client):  # type: ignore[misc]  # authlib ships no types
    """Sends through a door of ours; what comes back is judged by `token_reply`, not by authlib."""

    post: Post

    async def _fetch_token(
        self, url: str, *, body: str, headers: Mapping[str, str], auth: Any, method: str
    ) -> HttpReply:
        url, headers, body = auth.prepare(method, url, headers, body)
        return await self.post(url, headers, body)


def _basic(
    auth: Any, _method: str, url: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """RFC 6749 wants id and secret form-encoded first; authlib's own method does not do it."""
    pair = f"{quote_plus(auth.client_id)}:{quote_plus(auth.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return url, headers, body
