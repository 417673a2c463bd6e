"""Every setting of the sidecar: frozen groups, each field described in place with its unit.

Durations are seconds inside and written with a unit (`450ms`, `1.9s`, `5m`); sizes are bytes
inside and written with a unit (`64KiB`). Secrets are never written here: a `*_file` names a
mounted file and rotates, `${NAME}` takes an environment variable and does not.
"""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from config.audit_settings import Audit
from config.group import Group, Text
from config.metrics_settings import Metrics
from config.tmf_settings import TmfProfile
from config.units import Duration, DurationOrZero, Size

TenantName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,99}$")]
ConnectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Port = Annotated[int, Field(ge=0, le=65535)]


class ServerTls(Group):
    """TLS of the data listener, where it is bound elsewhere than on loopback."""

    certificate_file: Text
    """PEM file with the certificate and its chain. Rotates."""
    key_file: Text
    """PEM file with the private key. Rotates."""


class DataListener(Group):
    """Where the pod asks its questions."""

    host: Text = "127.0.0.1"
    """Address to bind. Elsewhere than loopback it needs `tls` and `auth.token_file`."""
    port: Port = 8650
    """TCP port; 0 takes a free one."""
    unix_socket: Text | None = None
    """Path of a unix socket, instead of `host` and `port`."""
    tls: ServerTls | None = None
    """Certificate and key with which it is served over https."""


class OpsListener(Group):
    """Health and metrics, for kubelet and Prometheus. Nothing personal is on it."""

    host: Text = "127.0.0.1"
    """Address to bind; in Kubernetes the pod's own, because kubelet cannot reach a loopback."""
    port: Port = 8651
    """TCP port; 0 takes a free one."""


class AdminListener(Group):
    """The status page, for people in the pod. Loopback only."""

    host: Text = "127.0.0.1"
    """Address to bind: `127.0.0.1`, `::1` or `localhost`."""
    port: Port = 8652
    """TCP port; 0 takes a free one."""


class Listeners(Group):
    """The three doors, each with its own routes and no other's."""

    data: DataListener = DataListener.untouched()
    ops: OpsListener = OpsListener.untouched()
    admin: AdminListener = AdminListener.untouched()


class Auth(Group):
    """Who may ask."""

    token_file: Text | None = None
    """File with the bearer token that the data listener wants. If it is absent at start, a token
    is generated into it. `None`: no token is asked for. Rotates."""
    any_user: bool = False
    """Whether processes of any user may read the token that is generated, and connect to the unix
    socket: for a folder that nobody else mounts. False: the token is its user's alone (mode 0600),
    the socket its user's and group's (0660)."""
    former_token_serves: Duration = 60.0
    """How long the token before the file's present one is still accepted after a rotation."""


class Deadlines(Group):
    """The budget of a question, below the SLA's 500 ms and 2 s so that it is kept."""

    single: Duration = 0.45
    """For one customer."""
    batch: Duration = 1.9
    """For a batch, whatever its size."""


class Limits(Group):
    """What the sidecar accepts from the pod."""

    batch_ids: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Customer ids in one batch, duplicates included."""
    request_body: Size = 64 * 1024
    """Bytes of a request body."""
    customers_in_flight: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Customers of one tenant who are being asked about at once, by all its questions together.
    Above it they are answered `overload` at once."""


class Shutdown(Group):
    """What happens on SIGTERM."""

    grace: Duration = 5.0
    """How long questions in flight may take to finish."""


class Logging(Group):
    """The log on standard output."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe line that is written."""
    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: `console` on a terminal, `json` elsewhere."""


class ClientTls(Group):
    """How the sidecar proves itself to the vendor, and whom it trusts (mutual TLS)."""

    certificate_file: Text | None = None
    """PEM file with the client certificate and its chain."""
    key_file: Text | None = None
    """PEM file with the client's private key."""
    trust_bundle_file: Text | None = None
    """PEM file with the CAs to trust. When given, the system's are not trusted."""
    server_name: Text | None = None
    """Host name expected in the vendor's certificate, where it is not the URL's."""


class OAuth2(Group):
    """OAuth2 client credentials (RFC 6749, section 4.4)."""

    token_url: Text
    """The token endpoint."""
    client_id: Text
    """The name by which the issuer knows the client."""
    method: Literal[
        "client_secret_basic", "client_secret_post", "tls_client_auth", "private_key_jwt"
    ] = "client_secret_basic"
    """How the client authenticates (RFC 7591). `tls_client_auth` (RFC 8705) uses `tls`."""
    client_secret_file: Text | None = None
    """File with the client secret; rotates."""
    client_secret: SecretStr | None = None
    """`${NAME}` of an environment variable with the client secret; does not rotate."""
    signing_key_file: Text | None = None
    """PEM file with the private key of `private_key_jwt` (RSA or EC); rotates."""
    signing_key_id: Text | None = None
    """The `kid` that the issuer knows the key by."""
    scope: Text | None = None
    """Scopes to ask for, with a space between; not sent unless given."""
    audience: Text | None = None
    """Audience of the `private_key_jwt` assertion; the token URL unless given."""


class Wire(Group):
    """What a connection may cost, and what it takes from a vendor."""

    concurrency: Annotated[int, Field(ge=1, le=1000)] = 32
    """Exchanges in flight at most."""
    queue_length: Annotated[int, Field(ge=0, le=100_000)] = 1000
    """Exchanges that may wait for a slot. Above it they are answered `overload` at once."""
    warm_connections: Annotated[int, Field(ge=0, le=1000)] = 4
    """Connections that are opened before they are needed and kept open; never more than
    `concurrency`. Every sidecar has so many. 0: they are opened as they are needed."""
    connect_timeout: Duration = 0.3
    """For the TCP and TLS handshakes of one new connection."""
    exchange_timeout: Duration = 1.0
    """For one exchange, never longer than the budget of its question."""
    connection_age: Duration = 600.0
    """How long a connection is used at most, less up to a fifth by chance; then a new one is
    opened, and with it the vendor's name is looked up anew."""
    drain: Duration = 30.0
    """How long exchanges under replaced credentials may take to finish."""
    response_body: Size = 8 * 1024 * 1024
    """Bytes of a reply, after decompression."""
    egress_proxy: Text | None = Field(default=None, repr=False)
    """URL of an HTTP proxy through which the vendor is reached. One that wants a password comes
    whole as `${NAME}`."""


Share = Annotated[float, Field(ge=0, le=1)]


class Retry(Group):
    """Asking once more, where that does no harm: no retry storms, and none past the deadline."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Exchanges for one request at most, the first included; 1 retries nothing."""
    budget_share: Share = 0.2
    """Retries in proportion to requests, at most."""
    budget_floor: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """Retries per second that are allowed besides."""
    first_backoff: Duration = 0.025
    """Before the first retry the wait is anything from nothing to this; it doubles with each."""
    longest_backoff: Duration = 0.25
    """The most that a wait before a retry may be."""


class Breaker(Group):
    """When a failing vendor is left alone, and for how long."""

    window: Duration = 10.0
    """How far back it looks."""
    minimum_calls: Annotated[int, Field(ge=1, le=10_000)] = 10
    """Exchanges within the window before it judges."""
    failure_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of failed exchanges from which on it opens."""
    slow_call: Duration = 0.8
    """An exchange that takes so long is slow, whatever its answer."""
    slow_call_rate: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of slow exchanges from which on it opens."""
    fair_chance: Duration = 0.25
    """An exchange that its question's deadline cuts off is a failure of the vendor's when it had
    so long; before that it says nothing."""
    open_time: Duration = 1.0
    """How long it stays open, more or less by chance; it doubles with each probe that fails."""
    longest_open_time: Duration = 30.0
    """The most that it stays open by itself."""
    longest_retry_after: Duration = 300.0
    """The longest `Retry-After` that is believed."""
    half_open_permits: Annotated[int, Field(ge=1, le=100)] = 3
    """Probes in flight at most while it is half open. The first outcome decides."""


class AdaptiveConcurrency(Group):
    """Fewer exchanges at once to a vendor that slows down."""

    enabled: bool = True
    """False: always `wire.concurrency`."""
    floor: Annotated[int, Field(ge=1, le=1000)] = 4
    """Exchanges that are always let through at once; `wire.concurrency` is the ceiling."""


class Hedging(Group):
    """A second try for a question about one customer that takes unusually long."""

    enabled: bool = False
    """Whether it is done. It costs the vendor requests, and wins only against a slow tail."""
    budget_share: Share = 0.05
    """Second tries in proportion to requests, at most."""


class Guard(Group):
    """What stands between a question and a vendor that fails."""

    retry: Retry = Retry.untouched()
    breaker: Breaker = Breaker.untouched()
    adaptive_concurrency: AdaptiveConcurrency = AdaptiveConcurrency.untouched()
    hedging: Hedging = Hedging.untouched()


class IdentitySource(Group):
    """From Pedkai's customer id to the id that the vendor knows."""

    kind: Literal["pedkai_db", "identity", "file"] = "identity"
    """`pedkai_db`: `customers.external_id`; `identity`: the UUID itself; `file`: a mounted map."""
    file: Text | None = None
    """CSV (`customer_id,vendor_id`, with a header) or JSON object; for `file`."""
    dsn_file: Text | None = None
    """File with the SQLAlchemy URL of Pedkai's database; for `pedkai_db`."""
    dsn: SecretStr | None = None
    """`${NAME}` of an environment variable with that URL; does not rotate. In the open only where
    it holds no password."""
    remember: Duration = 300.0
    """How long a mapping read from the database is kept in memory."""
    remember_customers: Annotated[int, Field(ge=0)] = 100_000
    """How many mappings are kept at most."""


class Database(Group):
    """Pedkai's database, for the vendor `local`."""

    dsn_file: Text | None = None
    """File with the SQLAlchemy URL (`postgresql+asyncpg://…` or `sqlite+aiosqlite:///…`)."""
    dsn: SecretStr | None = None
    """`${NAME}` of an environment variable with that URL; does not rotate. In the open only where
    it holds no password."""
    currency: Currency = "GBP"
    """Currency of its fees; the schema has no column for it."""
    pool: Annotated[int, Field(ge=1, le=100)] = 5
    """Database connections at most."""


class Connection(Group):
    """One configured vendor endpoint."""

    vendor: Text
    """`amdocs`, `cerillion`, `csg`, `local` or `mock`."""
    base_url: Text | None = None
    """Where the vendor's APIs are; each adapter knows the paths below it."""
    apis: dict[
        Literal["product_inventory", "account", "customer", "customer_bill", "trouble_ticket"], str
    ] = Field(default={})
    """Base URL of one API, where it is not below `base_url`."""
    insecure: bool = False
    """Neither mutual TLS nor OAuth2, or no https. Only to a loopback address."""
    tls: ClientTls | None = None
    oauth2: OAuth2 | None = None
    headers: dict[str, str] = Field(default={}, repr=False)
    """Further request headers, the same on each exchange. A gateway's key only as `${NAME}`."""
    wire: Wire = Wire.untouched()
    guard: Guard = Guard.untouched()
    identity: IdentitySource = IdentitySource.untouched()
    tmf: TmfProfile = TmfProfile.untouched()
    database: Database | None = None


class Tenant(Group):
    """One telecom operator that Pedkai serves."""

    connection: ConnectionName
    """The connection that answers for it."""
    reporting_currency: Currency = "GBP"
    """ISO 4217 code in which its revenue at risk is summed."""


class Redis(Group):
    """A Redis that several sidecars share. What is kept in it is sealed."""

    url: Text | None = Field(default=None, repr=False)
    """`redis://HOST:PORT/DB`, `rediss://…` (TLS) or `unix:///PATH`; no login in it."""
    sentinels: tuple[Text, ...] = ()
    """`HOST:PORT` of each Sentinel, instead of `url`."""
    sentinel_service: Text | None = None
    """Name under which the Sentinels know the master."""
    database: Annotated[int, Field(ge=0, le=1023)] = 0
    """Number of the database behind Sentinels."""
    cluster: bool = False
    """Whether `url` is a node of a Redis Cluster."""
    username: Text | None = None
    """Name of the ACL user."""
    password_file: Text | None = None
    """File with its password; rotates."""
    password: SecretStr | None = None
    """`${NAME}` of an environment variable with that password; does not rotate."""
    tls: ClientTls | None = None
    """Whom it trusts, and how it proves itself; with `rediss://`, or to Sentinels."""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Connections at most."""
    connect_timeout: Duration = 0.2
    """For one new connection."""


class Cache(Group):
    """What was learned is kept for seconds. Nothing of anybody is kept for more than 300 s."""

    store: Literal["off", "memory", "redis"] = "memory"
    """Where it is kept: nowhere, in this process alone, or in a Redis that is shared."""
    ttl: Duration = 30.0
    """How long an answer is fresh."""
    negative_ttl: Duration = 5.0
    """How long it is remembered that the vendor knows no such customer."""
    staleness: DurationOrZero = 0.0
    """How long beyond its life an answer may stand in when nobody can say; `0s`: never. It makes a
    total an estimate."""
    early_refresh: bool = True
    """Whether a customer who is asked about often is asked for anew before the entry ends."""
    read_budget: Duration = 0.005
    """How long a question waits for the store at most."""
    entries: Annotated[int, Field(ge=1, le=10_000_000)] = 50_000
    """Entries that the memory store keeps at most."""
    size: Size = 32 * 1024 * 1024
    """Bytes that the memory store keeps at most."""
    pending_writes: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    """Entries that may wait to be written. Above it they are dropped."""
    master_keys_file: Text | None = None
    """File with the keys that seal, one in a line: 32 bytes in base64. The first seals, all open;
    rotates. `redis` needs it."""
    name_keys_file: Text | None = None
    """File with the keys that hide names, in the same form and none of them in both; rotates."""
    redis: Redis | None = None
    """Where it is and who we are to it; for `redis`."""


class Settings(Group):
    """The whole of one configuration file."""

    schema_version: Literal[1]
    """Of the configuration file's format."""
    connections: dict[ConnectionName, Connection] = Field(default={})
    """The vendors' endpoints, each under a name of your choice."""
    tenants: dict[TenantName, Tenant] = Field(default={})
    """The operators that are served, each under its `X-Tenant-ID`."""
    default_tenant: TenantName | None = None
    """Serves requests without `X-Tenant-ID`, and only those."""
    listeners: Listeners = Listeners.untouched()
    auth: Auth = Auth.untouched()
    deadlines: Deadlines = Deadlines.untouched()
    limits: Limits = Limits.untouched()
    cache: Cache = Cache.untouched()
    shutdown: Shutdown = Shutdown.untouched()
    logging: Logging = Logging.untouched()
    metrics: Metrics = Metrics.untouched()
    audit: Audit = Audit.untouched()
