"""What a rule is given, and what it says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from config.problems import Place
from config.settings import Connection, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, or a warning if it is not `serious`.

    A problem is dropped when its place, or one that it `needs`, did not parse: a rule may only
    judge what somebody really wrote. Warnings are only told of a file without problems.
    """

    place: Place
    what: str
    instead: str
    needs: tuple[Place, ...] = ()
    serious: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One connection under a rule, and what its vendor is reached over."""

    name: str
    connection: Connection
    vendors: Mapping[str, str]

    @property
    def reach(self) -> str | None:
        """`http`, `database` or `none`; `None` for a vendor that nobody knows."""
        return self.vendors.get(self.connection.vendor)

    def at(self, *keys: str) -> Place:
        return ("connections", self.name, *keys)

    def urls(self) -> list[tuple[Place, str]]:
        """Every URL of the vendor's, with its place."""
        connection = self.connection
        urls = [(self.at("apis", api), url) for api, url in connection.apis.items()]
        if connection.base_url is not None:
            urls.insert(0, (self.at("base_url"), connection.base_url))
        if connection.oauth2 is not None:
            urls.append((self.at("oauth2", "token_url"), connection.oauth2.token_url))
        return urls


ConnectionRule: TypeAlias = Callable[[Case], Iterator[Finding]]
ServiceRule: TypeAlias = Callable[[Settings], Iterator[Finding]]
