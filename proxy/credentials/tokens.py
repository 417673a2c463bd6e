"""OAuth2 access tokens: fetched once for all, renewed ahead of their end, replaced when refused."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from adapters.call import Call
from adapters.outcome import LookupFailed, Reason
from config.settings import OAuth2
from proxy.credentials.renewal import REST_S, Luck, Renewal, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import IssuedToken, issued_token
from proxy.guard.sender import Sender

if TYPE_CHECKING:
    from proxy.credentials.client_auth import Post

LEEWAY_S = 60.0
MARGIN_S = 5.0
LOST_REST_S = 300.0
"""After a failure, a token that has ended and that nobody asks for is tried for so seldom, or up to
twice as often by chance: an issuer that comes back is not met by a whole idle fleet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and its times, on the event loop's clock, from before it was asked for."""

    version: int
    value: str = field(repr=False)
    renew_at: float
    """From here on a new one is fetched, while this one still serves."""
    ends_at: float
    """From here on it is not sent: it might end on its way."""

    @property
    def header(self) -> str:
        return f"Bearer {self.value}"

    @classmethod
    def of(
        cls, issued: IssuedToken, *, version: int, asked_at: float, luck: float = 0.0
    ) -> "Token":
        """Leeway and margin are fractions of a short life: 60 s of a token of 30 s is nothing.

        `luck`, 0 to 1, makes the leeway up to twice as long.
        """
        life = issued.life_s
        return cls(
            version=version,
            value=issued.value,
            renew_at=asked_at + life - min(LEEWAY_S, life / 4) * (1 + luck),
            ends_at=asked_at + life - min(MARGIN_S, life / 20),
        )

    def inherited(self) -> "Token":
        """The same for a successor, who wants one of its own as soon as it can be had."""
        return replace(self, renew_at=-inf)


class TokenEndpoint:
    """Who issues tokens, for one set of credentials. The post knows how long it may take."""

    def __init__(self, oauth2: OAuth2, credentials: Credentials, post: "Post") -> None:
        from proxy.credentials.client_auth import (  # noqa: PLC0415  (who has no OAuth2 needs no authlib)
            request_token,
        )

        self._oauth2 = oauth2
        self._credentials = credentials
        self._post = post
        self._request_token = request_token

    async def send(self, request: None, call: Call) -> IssuedToken:
        """A token that looks like one. Raises `LookupFailed`."""
        reply = await self._request_token(
            self._oauth2, self._credentials, self._post, now=call.asked_at
        )
        return issued_token(reply)


class TokenSource:
    """Tokens for one set of credentials.

    A token is renewed in the background while it is in use, so that nobody waits for it, and also
    while it is not where it is `kept`: an idle fleet costs the issuer one request per sidecar and
    life of a token, and does not come for all of them together when something happens. One that is
    `inherited` from the credentials before serves until there is another, or until it ends.
    """

    def __init__(
        self,
        endpoint: Sender[None, IssuedToken],
        *,
        spawn: Spawn,
        clock: Callable[[], datetime],
        versions: Iterator[int],
        luck: Luck = random.random,
        inherited: Token | None = None,
        kept: bool = False,
    ) -> None:
        """`endpoint`: a `TokenEndpoint`, with its guard.

        `versions` gives each token a number of its own.
        """
        self._endpoint = endpoint
        self._clock = clock
        self._luck = luck
        self._token = inherited.inherited() if inherited else None
        self._versions = versions
        self._renewal: Renewal[Token] = Renewal(self._fetch, spawn=spawn, luck=luck)
        self._refused: int | None = None
        self._refusals_heard_from = -inf
        self._kept = kept
        self._in_use = False
        self._alarm: asyncio.TimerHandle | None = None
        self._retired = False

    @property
    def failure(self) -> LookupFailed | None:
        """How the latest attempt to get a token failed, if it did."""
        return self._renewal.failure

    def serving(self, now: float) -> Token | None:
        """The token that is sent at `now` (`loop.time()`)."""
        return self._token if self._token and now < self._token.ends_at else None

    async def grant(self, call: Call) -> Token:
        """A token that has not ended. Raises `LookupFailed(auth)`."""
        loop = asyncio.get_running_loop()
        self._in_use = True
        token = self.serving(loop.time())
        if self._retired:
            raise LookupFailed(Reason.AUTH, "the credentials were replaced")
        if token is None:
            token = await self._renewal.wait(call)
        elif token.version == self._refused:
            token = await self._another(token, call)
        elif loop.time() >= token.renew_at:
            self._renewal.begin()
        if self._retired:
            raise LookupFailed(Reason.AUTH, "the credentials were replaced meanwhile")
        if loop.time() >= token.ends_at:
            raise LookupFailed(Reason.AUTH, "the token ended before it could be sent")
        return token

    def refused(self, version: int) -> None:
        """The vendor refused the token of that version: a hundred of them cause one fetch.

        That is heard once a second, for a vendor may refuse whatever it is sent. A token which was
        refused is not thrown away: while no other can be had, it may still be good for others.
        """
        now = asyncio.get_running_loop().time()
        if self._token and self._token.version == version and now >= self._refusals_heard_from:
            self._refused = version
            self._refusals_heard_from = now + REST_S

    async def renew(self, call: Call) -> None:
        """Fetches a token. Raises `LookupFailed(auth)`, at the end of the call's budget at last."""
        await self._renewal.wait(call)

    def retire(self) -> None:
        """Grants nothing any more; who waits for a token hears so."""
        self._retired = True
        if self._alarm:
            self._alarm.cancel()
        self._renewal.cut_short()

    async def aclose(self) -> None:
        self.retire()
        await self._renewal.stop()

    async def _another(self, refused: Token, call: Call) -> Token:
        try:
            return await self._renewal.wait(call)
        except LookupFailed:
            if asyncio.get_running_loop().time() >= self._renewal.rests_until:
                raise  # the attempt is still under way, and the caller's budget at its end
        return refused

    async def _fetch(self) -> Token:
        asked_at = asyncio.get_running_loop().time()
        try:
            issued = await self._endpoint.send(None, Call(deadline=inf, asked_at=self._clock()))
        except LookupFailed as failure:
            self._ring_at(asked_at + self._rest_s(asked_at))
            if failure.reason is Reason.AUTH:
                raise
            detail = f"the token endpoint: {failure.reason}: {failure.detail}"
            raise type(failure)(
                Reason.AUTH, detail, retry_after_s=failure.retry_after_s
            ) from failure
        token = Token.of(issued, version=next(self._versions), asked_at=asked_at, luck=self._luck())
        self._token, self._in_use = token, False
        self._ring_at(token.renew_at)
        return token

    def _ring_at(self, when: float) -> None:
        if self._alarm:
            self._alarm.cancel()
        if not self._retired:
            self._alarm = asyncio.get_running_loop().call_at(when, self._renew_in_use)

    def _rest_s(self, now: float) -> float:
        """After a failure. Whoever asks for a token that has ended does not wait for it."""
        is_lost = self._kept and self.serving(now) is None
        return LOST_REST_S * (1 - self._luck() / 2) if is_lost else REST_S

    def _renew_in_use(self) -> None:
        """Ahead of the end, if anybody used the token or it is kept: else it is let go."""
        now = asyncio.get_running_loop().time()
        if not self._kept and (not self._in_use or self.serving(now) is None):
            return
        if now < self._renewal.rests_until:
            self._ring_at(self._renewal.rests_until)
        else:
            self._renewal.begin()
