"""What must hold of the ways in: certificates, OAuth2 clients, databases, identity maps."""

import re
from collections.abc import Iterator

from config.addresses import is_host
from config.problems import Place
from config.rules.case import Case, ConnectionRule, Finding
from config.settings import Database, IdentitySource, OAuth2

_DSN = re.compile(r"postgresql\+asyncpg://|sqlite\+aiosqlite:///")


def _somebody_proves_who_asks(case: Case) -> Iterator[Finding]:
    connection = case.connection
    tls = connection.tls
    mutual = tls is not None and (tls.certificate_file or tls.key_file)
    if case.reach == "http" and not (mutual or connection.oauth2 or connection.insecure):
        certificate, key = case.at("tls", "certificate_file"), case.at("tls", "key_file")
        yield Finding(
            case.at(),
            "proves itself neither by mutual TLS nor by OAuth2",
            "tls with certificate_file and key_file, or oauth2, or both",
            needs=(case.at("vendor"), case.at("oauth2"), case.at("insecure"), certificate, key),
        )


def _certificate_has_its_key(case: Case) -> Iterator[Finding]:
    tls = case.connection.tls
    if tls is None:
        return
    certificate, key = case.at("tls", "certificate_file"), case.at("tls", "key_file")
    if tls.certificate_file and not tls.key_file:
        yield Finding(key, "is missing", "the key that belongs to certificate_file")
    if tls.key_file and not tls.certificate_file:
        yield Finding(certificate, "is missing", "the certificate that belongs to key_file")
    if tls.server_name is not None and not is_host(tls.server_name):
        yield Finding(
            case.at("tls", "server_name"), "is not a host name", "such as bss.example.com"
        )


def _oauth2_has_what_it_needs(case: Case) -> Iterator[Finding]:
    oauth2 = case.connection.oauth2
    if oauth2 is None:
        return
    at, method = case.at("oauth2"), case.at("oauth2", "method")
    if oauth2.method in {"client_secret_basic", "client_secret_post"}:
        yield from _one_of(at, oauth2, ("client_secret_file", "client_secret"), method)
    elif oauth2.method == "private_key_jwt" and not oauth2.signing_key_file:
        what = "is missing, and private_key_jwt signs with it"
        place = (*at, "signing_key_file")
        yield Finding(place, what, "the path of a PEM file", needs=(method,))
    elif oauth2.method == "tls_client_auth":
        tls = case.connection.tls
        places = (case.at("tls"), case.at("tls", "certificate_file"), case.at("tls", "key_file"))
        if tls is None or not (tls.certificate_file or tls.key_file):
            what = "is tls_client_auth, but there is no client certificate"
            way_out = "tls with certificate_file and key_file, or another method"
            yield Finding(method, what, way_out, needs=places)


def _oauth2_has_nothing_idle(case: Case) -> Iterator[Finding]:
    oauth2 = case.connection.oauth2
    if oauth2 is None:
        return
    by_secret = ("client_secret_file", "client_secret")
    by_key = ("signing_key_file", "signing_key_id", "audience")
    idle = {"tls_client_auth": by_secret + by_key, "private_key_jwt": by_secret}
    for name in idle.get(oauth2.method, by_key):
        if getattr(oauth2, name) is not None:
            place = case.at("oauth2", name)
            what = f"is not used by {oauth2.method}"
            yield Finding(place, what, "another method, or nothing", serious=False)


def _database_is_named(case: Case) -> Iterator[Finding]:
    database = case.connection.database
    if case.reach != "database":
        return
    if database is None:
        what = "is missing, and this vendor is a database"
        way_out = "database: with dsn_file or dsn"
        yield Finding(case.at("database"), what, way_out, needs=(case.at("vendor"),))
        return
    yield from _one_of(case.at("database"), database, ("dsn_file", "dsn"), case.at("vendor"))


def _identity_has_its_source(case: Case) -> Iterator[Finding]:
    identity, at = case.connection.identity, case.at("identity")
    kind = (*at, "kind")
    if identity.kind == "file" and not identity.file:
        what = "is missing, and the ids come from a file"
        yield Finding((*at, "file"), what, "the path of a CSV or JSON file", needs=(kind,))
    if identity.kind == "pedkai_db":
        yield from _one_of(at, identity, ("dsn_file", "dsn"), kind)
    used = {"file": ("file",), "pedkai_db": ("dsn_file", "dsn")}.get(identity.kind, ())
    for name in ("file", "dsn_file", "dsn"):
        if name not in used and getattr(identity, name) is not None:
            what = f"is not used by kind {identity.kind}"
            yield Finding((*at, name), what, "another kind, or nothing", serious=False)


def _ids_are_mapped_or_said_to_be_the_vendors(case: Case) -> Iterator[Finding]:
    """A vendor that does not know an id finds no account behind it, and nothing looks wrong."""
    identity = case.connection.identity
    silent = identity.kind == "identity" and "kind" not in identity.model_fields_set
    if case.reach == "http" and silent:
        what = "no identity map: Pedkai's own ids go to the vendor as they are"
        way_out = (
            "identity.kind file or pedkai_db, unless the vendor knows Pedkai's ids; "
            "kind: identity, written out, says so"
        )
        yield Finding(case.at("identity"), what, way_out, serious=False)


def _dsns_are_understood(case: Case) -> Iterator[Finding]:
    for group, source in (
        ("database", case.connection.database),
        ("identity", case.connection.identity),
    ):
        dsn = source.dsn if source else None
        if dsn is not None and not _DSN.match(dsn.get_secret_value()):
            yield Finding(
                case.at(group, "dsn"),
                "is not the URL of a database that the sidecar can read",
                "postgresql+asyncpg://… or sqlite+aiosqlite:///…",
            )


def _one_of(
    at: Place, group: OAuth2 | Database | IdentitySource, names: tuple[str, str], because: Place
) -> Iterator[Finding]:
    """A secret comes from a mounted file or from the environment; `because` asks for it."""
    in_file, inline = names
    places = ((*at, in_file), (*at, inline))
    given = [name for name in names if getattr(group, name) is not None]
    if len(given) > 1:
        way_out = f"{in_file} alone, which rotates"
        yield Finding(places[1], f"stands beside {in_file}", way_out, (because,))
    if not given:
        way_out = f"the path of a mounted file, or {inline}: ${{NAME}}"
        yield Finding(places[0], "is missing", way_out, (*places, because))


CREDENTIAL_RULES: tuple[ConnectionRule, ...] = (
    _somebody_proves_who_asks,
    _certificate_has_its_key,
    _oauth2_has_what_it_needs,
    _oauth2_has_nothing_idle,
    _database_is_named,
    _identity_has_its_source,
    _ids_are_mapped_or_said_to_be_the_vendors,
    _dsns_are_understood,
)
