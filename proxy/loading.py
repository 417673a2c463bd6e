"""What a start is spared while modules are loaded: work that nobody asked for yet, or ever does.

A quarter of a start's CPU time was that. None of it changes what a module does later.
"""

import gc
import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For as long as modules are loaded, and before any thread is started."""
    with _in_one_go(), _no_authorities():
        yield


@contextmanager
def _in_one_go() -> Iterator[None]:
    """What is loaded meanwhile stays, so the garbage collector need not look at it again and again.

    It would for 160 ms of a start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _no_authorities() -> Iterator[None]:
    """When aiohttp is loaded it makes a context with all authorities of the system: 35 ms.

    Every exchange of ours brings a context of its own (`proxy.credentials.tls`). Who forgot to
    would trust nobody.
    """
    usual = ssl.create_default_context
    ssl.create_default_context = _trusting_nobody
    try:
        yield
    finally:
        ssl.create_default_context = usual


def _trusting_nobody(*_: object, **__: object) -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
