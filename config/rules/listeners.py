"""What must hold of the three doors: who can reach them, and that each has its own address."""

from collections.abc import Iterator
from itertools import combinations

from config.addresses import hosts_clash, is_host, is_loopback
from config.problems import Place
from config.rules.case import Finding, ServiceRule
from config.settings import Settings

_SOCKET_PATH_LIMIT = 107  # sun_path of Linux, without its closing NUL
_DATA: Place = ("listeners", "data")


def _data_is_guarded(settings: Settings) -> Iterator[Finding]:
    data = settings.listeners.data
    if data.unix_socket is not None or is_loopback(data.host):
        return
    host = (*_DATA, "host")
    token: Place = ("auth", "token_file")
    lacking = [
        name
        for name, there, place in (
            ("listeners.data.tls", data.tls, (*_DATA, "tls")),
            ("auth.token_file", settings.auth.token_file, token),
        )
        if not there
    ]
    if lacking:
        what = f"is not a loopback address, which needs {' and '.join(lacking)}"
        instead = "127.0.0.1, or what is needed elsewhere"
        yield Finding(host, what, instead, needs=((*_DATA, "tls"), token, (*_DATA, "unix_socket")))


def _admin_is_loopback(settings: Settings) -> Iterator[Finding]:
    if not is_loopback(settings.listeners.admin.host):
        place = ("listeners", "admin", "host")
        yield Finding(place, "is not a loopback address", "127.0.0.1, ::1 or localhost")


def _hosts_are_hosts(settings: Settings) -> Iterator[Finding]:
    listeners = settings.listeners
    for name, host in (("data", listeners.data.host), ("ops", listeners.ops.host)):
        if not is_host(host):
            place = ("listeners", name, "host")
            yield Finding(place, "is neither an address nor a name", "such as 127.0.0.1 or ::")


def _listeners_have_own_addresses(settings: Settings) -> Iterator[Finding]:
    listeners = settings.listeners
    doors = [
        ("data", listeners.data.host, listeners.data.port),
        ("ops", listeners.ops.host, listeners.ops.port),
        ("admin", listeners.admin.host, listeners.admin.port),
    ]
    if listeners.data.unix_socket is not None:
        del doors[0]
    for (one, host, port), (other, other_host, other_port) in combinations(doors, 2):
        if port == other_port != 0 and hosts_clash(host, other_host):
            first, second = ("listeners", one), ("listeners", other)
            needs = tuple((*door, key) for door in (first, second) for key in ("host", "port"))
            what = f"is the address of listeners.{one} as well"
            yield Finding((*second, "port"), what, "another port, or 0 for a free one", needs)


def _unix_socket_stands_alone(settings: Settings) -> Iterator[Finding]:
    data = settings.listeners.data
    if data.unix_socket is None:
        return
    place = (*_DATA, "unix_socket")
    if len(data.unix_socket.encode()) > _SOCKET_PATH_LIMIT:
        yield Finding(place, "is too long for a socket", f"at most {_SOCKET_PATH_LIMIT} bytes")
    for name in ("host", "port", "tls"):
        if name in data.model_fields_set and getattr(data, name) is not None:
            what = "is not used beside unix_socket"
            yield Finding((*_DATA, name), what, "nothing", (place,), serious=False)


LISTENER_RULES: tuple[ServiceRule, ...] = (
    _data_is_guarded,
    _admin_is_loopback,
    _hosts_are_hosts,
    _listeners_have_own_addresses,
    _unix_socket_stands_alone,
)
