"""What must hold between settings that parsed, each by itself.

A **rule** is a pure function from settings to **findings**. It never sees the document, reads no
file and resolves no name; what it may not know, because that part did not parse, it declares as
what its finding `needs`.
"""

from collections.abc import Iterator, Mapping

from config.rules.audit import AUDIT_RULES
from config.rules.cache import CACHE_RULES
from config.rules.case import Case, Finding
from config.rules.connections import CONNECTION_RULES
from config.rules.credentials import CREDENTIAL_RULES
from config.rules.guard import GUARD_RULES, GUARD_SERVICE_RULES
from config.rules.listeners import LISTENER_RULES
from config.rules.service import SERVICE_RULES
from config.settings import Settings

__all__ = ["Finding", "judge"]


def judge(settings: Settings, vendors: Mapping[str, str]) -> Iterator[Finding]:
    """`vendors`: what each vendor is reached over, `http`, `database` or `none`."""
    for name, connection in settings.connections.items():
        case = Case(name, connection, vendors)
        for connection_rule in (*CONNECTION_RULES, *CREDENTIAL_RULES, *GUARD_RULES):
            yield from connection_rule(case)
    for service_rule in (
        *SERVICE_RULES,
        *GUARD_SERVICE_RULES,
        *LISTENER_RULES,
        *CACHE_RULES,
        *AUDIT_RULES,
    ):
        yield from service_rule(settings)
