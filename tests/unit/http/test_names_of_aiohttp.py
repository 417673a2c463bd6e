"""What `Caller` uses of aiohttp that aiohttp promises to nobody.

If one of these fails after an upgrade: read what has changed in aiohttp's `web_protocol.py`, bring
`proxy/http/caller.py` in line with it, and only then change what is asked here.
"""

import asyncio
import hashlib
import inspect
import tomllib
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import EMPTY_PAYLOAD, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import RawRequestMessage, StreamWriter
from aiohttp.web_protocol import _ErrInfo
from packaging.requirements import Requirement

from tests.project_files import ROOT

SERIES = "3.14"
LOOP = "2e565fd40c8e04fb3afb481d5ba52691a61d28396573b4b8a4cf3b168782288e"
SLOTS = {
    "_buffer_paused",
    "_close",
    "_force_close",
    "_handler_waiter",
    "_keepalive",
    "_keepalive_handle",
    "_keepalive_timeout",
    "_lingering_time",
    "_loop",
    "_messages",
    "_msg_queue_resume_size",
    "_next_keepalive_close_time",
    "_parser",
    "_paused",
    "_request_handler",
    "_request_in_progress",
    "_task_handler",
    "_waiter",
    "transport",
}
PARAMETERS = {
    web.RequestHandler._handle_request: ["self", "request", "start_time", "request_handler"],
    web.RequestHandler.finish_response: ["self", "request", "resp", "start_time"],
    web.RequestHandler._make_error_handler: ["self", "err_info"],
    web.RequestHandler._process_keepalive: ["self"],
    web.RequestHandler._resume_reading_if_drained: ["self"],
    web.RequestHandler.handle_error: ["self", "request", "status", "exc", "message"],
    BaseProtocol._drain_helper: ["self"],
    web.BaseRequest.__init__: [
        "self", "message", "payload", "protocol", "payload_writer", "task", "loop",
    ],
    StreamWriter.__init__: ["self", "protocol", "loop", "on_chunk_sent", "on_headers_sent"],
    rfc822_formatted_time: [],
}  # fmt: skip


def test_the_series_is_the_one_that_was_read() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (asked,) = [one for one in map(Requirement, project["dependencies"]) if one.name == "aiohttp"]
    assert f"{SERIES}.99" in asked.specifier
    assert "3.15" not in asked.specifier
    assert aiohttp.__version__.startswith(f"{SERIES}.")


def test_the_loop_that_ours_stands_in_for_is_the_one_that_was_read() -> None:
    source = inspect.getsource(web.RequestHandler.start).encode()
    assert hashlib.sha256(source).hexdigest() == LOOP


def test_each_attribute_is_there() -> None:
    slots = {*web.RequestHandler.__slots__, *BaseProtocol.__slots__}
    assert slots >= SLOTS


@pytest.mark.parametrize("function", PARAMETERS, ids=lambda one: one.__qualname__)
def test_each_function_takes_what_it_is_given(function: object) -> None:
    assert callable(function)
    parameters = inspect.signature(function).parameters.values()
    asked = [one.name for one in parameters if one.kind is not one.VAR_KEYWORD]
    assert asked[: len(PARAMETERS[function])] == PARAMETERS[function]
    more = list(parameters)[len(PARAMETERS[function]) :]
    assert all(one.default is not one.empty for one in more if one.kind is not one.VAR_KEYWORD)


@pytest.fixture
def parser() -> Iterator[aiohttp.http.HttpRequestParser]:
    loop = asyncio.new_event_loop()
    yield aiohttp.http.HttpRequestParser(
        BaseProtocol(loop), loop, 2**16, max_line_size=8190, max_field_size=8190
    )
    loop.close()


def test_a_get_without_a_body_has_the_one_empty_payload(
    parser: aiohttp.http.HttpRequestParser,
) -> None:
    ((message, payload),) = parser.feed_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")[0]
    assert payload is EMPTY_PAYLOAD
    assert payload.is_eof()
    assert isinstance(message, RawRequestMessage)
    assert (message.method, message.path, message.should_close, message.upgrade) == (
        "GET", "/", False, False,
    )  # fmt: skip
    assert message.version == aiohttp.HttpVersion11
    assert callable(parser.message_consumed)


def test_what_cannot_be_read_comes_with_its_error() -> None:
    told = _ErrInfo(status=400, exc=ValueError(), message="why")
    assert isinstance(told.exc, ValueError)
