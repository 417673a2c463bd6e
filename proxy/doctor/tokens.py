"""One token, asked for as the sidecar asks, and thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from adapters.call import Call
from adapters.outcome import LookupFailed
from config.settings import OAuth2
from proxy.credentials.client_auth import request_token
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import issued_token
from proxy.doctor.exchange_advice import of_token
from proxy.doctor.findings import Advice, Fact, Step
from proxy.exchange.replies import RawReply
from proxy.exchange.transport import HttpRequest, Transport

REPLY_BYTES = 64 * 1024
SHORT_LIFE_S = 60


@dataclass(frozen=True, slots=True)
class Held:
    """A token as an `Authorization` of a wire: given to each exchange, and never renewed."""

    header: str = field(repr=False)
    version: int = 1

    async def grant(self, call: Call) -> "Held":
        return self

    def refused(self, version: int) -> None:
        """The step says so."""


async def ask_token(
    oauth2: OAuth2,
    credentials: Credentials,
    transport: Transport,
    *,
    server_name: str | None,
    now: datetime,
) -> tuple[Step, Held | None]:
    """The step, and the token if there is one."""
    last: list[RawReply] = []

    async def post(url: str, headers: Mapping[str, str], form: str) -> RawReply:
        request = HttpRequest(
            method="POST", url=url, headers=headers, form=form, server_name=server_name
        )
        last.append(await transport.fetch(request, body_bytes=REPLY_BYTES))
        return last[-1]

    facts = (Fact("endpoint", _place(oauth2.token_url)), Fact("method", oauth2.method))
    try:
        token = issued_token(await request_token(oauth2, credentials, post, now=now))
    except LookupFailed as failure:
        advice = of_token(failure, oauth2, status=last[-1].status if last else None)
        return Step.judged("token", facts=facts, bad=(advice,)), None
    short = Advice(
        cause=f"a token lives for {token.life_s} s only, so one is asked for all the time",
        cure="ask the issuer for tokens that live for 5 minutes or more",
    )
    doubtful = (short,) if token.life_s < SHORT_LIFE_S else ()
    said = f"Bearer, for {token.life_s} s"
    return Step.judged("token", said, facts=facts, doubtful=doubtful), Held(f"Bearer {token.value}")


def _place(url: str) -> str:
    parts: Any = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
