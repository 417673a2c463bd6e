"""OAuth2 access tokens: fetched once for all, renewed early, dropped when a vendor refuses one."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from adapters.outcome import Call, LookupFailed, Reason
from config.settings import OAuth2
from proxy.credentials.client_auth import Post, request_token
from proxy.credentials.renewal import REST_S, Renewal, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import IssuedToken, issued_token

LEEWAY_S = 60.0
MARGIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and its times, on the event loop's clock, from before it was asked for."""

    version: int
    value: str = field(repr=False)
    asked_at: float
    renew_at: float
    """From here on a new one is fetched, while this one still serves."""
    ends_at: float
    """From here on it is not sent: it might end on its way."""

    @property
    def header(self) -> str:
        return f"Bearer {self.value}"

    @classmethod
    def of(cls, issued: IssuedToken, *, version: int, asked_at: float) -> "Token":
        """Leeway and margin are fractions of a short life: 60 s of a token of 30 s is nothing."""
        life = issued.life_s
        return cls(
            version=version,
            value=issued.value,
            asked_at=asked_at,
            renew_at=asked_at + life - min(LEEWAY_S, life / 4),
            ends_at=asked_at + life - min(MARGIN_S, life / 20),
        )


class TokenSource:
    """Tokens for one set of credentials."""

    def __init__(
        self, oauth2: OAuth2, credentials: Credentials, post: Post, *, spawn: Spawn
    ) -> None:
        self._oauth2 = oauth2
        self._credentials = credentials
        self._post = post
        self._versions = count(1)
        self._token: Token | None = None
        self._renewal: Renewal[Token] = Renewal(self._fetch, spawn=spawn)

    @property
    def failure(self) -> LookupFailed | None:
        """How the latest attempt to get a token failed, if it did."""
        return self._renewal.failure

    async def grant(self, call: Call) -> Token:
        """A token that has not ended. Raises `LookupFailed`: `auth`, or the call's `deadline`."""
        loop = asyncio.get_running_loop()
        token = self._token
        if token is None or loop.time() >= token.ends_at:
            token = await self._renewal.wait(call)
        elif loop.time() >= token.renew_at:
            self._renewal.begin(call)
        if loop.time() >= token.ends_at:
            raise LookupFailed(Reason.AUTH, "the token ended before it could be sent")
        return token

    def refused(self, version: int) -> None:
        """Drops the token of that version, so that ten refusals of it cause one fetch.

        An issuer whose tokens are refused as soon as they are issued is asked once a second.
        """
        token = self._token
        if token is None or token.version != version:
            return
        self._token = None
        refusal = LookupFailed(Reason.AUTH, "the vendor refuses a token that was just issued")
        if asyncio.get_running_loop().time() < token.asked_at + REST_S:
            self._renewal.rest(token.asked_at + REST_S, refusal)

    async def aclose(self) -> None:
        await self._renewal.stop()

    async def _fetch(self, call: Call) -> Token:
        asked_at = asyncio.get_running_loop().time()
        try:
            reply = await request_token(
                self._oauth2, self._credentials, self._post, now=call.asked_at
            )
        except LookupFailed as failure:
            if failure.reason is Reason.AUTH:
                raise
            detail = f"the token endpoint: {failure.reason}: {failure.detail}"
            raise LookupFailed(Reason.AUTH, detail) from failure
        token = Token.of(issued_token(reply), version=next(self._versions), asked_at=asked_at)
        self._token = token
        return token
