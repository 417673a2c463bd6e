"""What a start is spared while modules are loaded: work that nobody asked for yet, or ever does.

A third of a start's CPU time was that. None of it changes what a module does later.
"""

import dataclasses
import gc
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def loading() -> Iterator[None]:
    """For as long as modules are loaded, and before any thread is started."""
    with _in_one_go(), _methods_on_demand(), _no_authorities():
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


@contextmanager
def _methods_on_demand() -> Iterator[None]:
    """A dataclass compiles up to six methods, and hardly any but the first is ever called: 50 ms.

    `__init__` is made at once, the others when they are called first. Python 3.13 compiles all of a
    class in one go and has no such function; it is left alone.
    """
    usual = getattr(dataclasses, "_create_fn", None)
    if usual is None:
        yield
        return

    def create(name: str, *words: Any, **more: Any) -> Callable[..., Any]:
        make = partial(usual, name, *words, **more)
        made: Callable[..., Any] = make() if name == "__init__" else _on_demand(name, make)
        return made

    setattr(dataclasses, "_create_fn", create)  # noqa: B010  (the stubs do not know it)
    try:
        yield
    finally:
        setattr(dataclasses, "_create_fn", usual)  # noqa: B010  (as above)


def _on_demand(name: str, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """A method that makes itself when it is called first, and is then no longer in the way."""
    made: Callable[..., Any] | None = None

    def method(self: object, *words: object) -> object:
        nonlocal made
        if made is None:
            made = make()
            made.__qualname__ = method.__qualname__
            for owner in type(self).__mro__:
                if vars(owner).get(name) is method:
                    setattr(owner, name, made)
        return made(self, *words)

    method.__name__ = name
    return method
