"""Nothing in a request can add a line to its head."""

import ssl

import aiohttp
import pytest

from config import settings
from proxy.exchange.session import HttpRequest, Session

URL = "http://127.0.0.1:9/product"


async def nobody_reads(_message: object, _body: object) -> None:
    raise AssertionError


@pytest.mark.parametrize("letter", ["\n", "\r", "\r\n", "\0"])
@pytest.mark.parametrize("place", ["target", "value", "name"])
async def test_what_would_break_the_head_is_refused_before_anything_is_sent(
    letter: str, place: str
) -> None:
    odd = f"a{letter}Authorization: Bearer stolen"
    url = URL + "?id=" + odd if place == "target" else URL
    headers = {odd if place == "name" else "X-Name": odd if place == "value" else "plain"}
    async with Session(ssl.create_default_context(), settings.Wire()) as session:
        request = HttpRequest(method="GET", url=url, headers=headers)
        with pytest.raises(aiohttp.InvalidURL):
            await session.ask(request, nobody_reads, waited=lambda _seconds: None)
