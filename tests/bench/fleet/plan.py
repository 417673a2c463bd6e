"""What is played: the product's settings, the world around it, and what the pods ask."""

from dataclasses import dataclass, field

from config import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What sidecars meet. Rates are for all of them together."""

    vendor_calls_per_s: float = 2_000.0
    """What the vendor answers at most."""
    vendor_latency_s: float = 0.05
    """Of one answer, while it is not asked for more than that."""
    vendor_queue_s: float = 2.0
    """It lets requests wait so long, and refuses more with 503. Those whose caller has gone are
    worked off all the same."""
    vendor_limit_per_s: float = 0.0
    """From there on it says 429; 0: it never does."""
    retry_after_s: float = 1.0
    """What comes with a 429."""
    vendor_connections: int = 20_000
    """Open at most; more are refused."""
    handshakes_per_s: float = 2_000.0
    """Mutual TLS handshakes that the vendor does at most."""
    tokens_per_s: float = 200.0
    """Requests that the token endpoint answers at most."""
    token_life_s: float = 3600.0
    redis_ops_per_s: float = 100_000.0
    """Commands about one key. One about `n` keys costs as much as 1 + n/`KEYS_PER_OP` of them."""
    redis_latency_s: float = 0.0005
    identity_s: float = 0.003
    """One SELECT."""
    exchange_cpu_s: float = 0.001
    """Of a sidecar's event loop, for one exchange."""
    handshake_cpu_s: float = 0.0025
    cores: int = 0
    """That all sidecars share; 0: each has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the pods ask: an outage that hits everybody at once."""

    customers: int = 100_000
    asked_by: int = 3
    """Pods that ask about each customer."""
    batch: int = 200
    """Customers in one question at most; fewer where there are more pods than batches."""
    at_once: int = 4
    """Questions of one pod that are under way at the same time; the others wait in the pod."""
    within_s: float = 2.0
    """All pods begin to ask within this, evenly spread by chance."""
    singles: float = 0.05
    """Questions about one customer besides, in proportion to the batches."""
    again_s: float = 10.0
    """Who heard a degraded answer asks again after that, give or take half of it."""
    again_until_s: float = 60.0
    """Nobody begins to ask after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    sidecars: int = 100
    shared_cache: bool = True
    """`cache.store`: `redis` or `memory`."""
    jitter: bool = True
    """Whether chance spreads what a fleet does; else each takes the middle."""
    adaptive: bool = True
    """`guard.adaptive_concurrency.enabled`."""
    warm: int = 4
    """`wire.warm_connections`: what a sidecar holds open before it needs it."""
    has_tokens: bool = True
    """Whether they have been asked since they started: a token is kept as long as connections are
    kept warm. One that is not kept is let go at its end, so a fleet without them has none."""
    busy: bool = False
    """Whether they were asked lately, so that there are tokens in any case."""
    connection: settings.Connection = field(
        default_factory=lambda: settings.Connection(vendor="amdocs")
    )
    cache: settings.Cache = field(default_factory=settings.Cache)
    deadlines: settings.Deadlines = field(default_factory=settings.Deadlines)
    limits: settings.Limits = field(default_factory=settings.Limits)
    world: World = field(default_factory=World)
    demand: Demand = field(default_factory=Demand)
    identity_queries: bool = True
    """`identity.kind: pedkai_db`."""
    seed: int = 1

    @property
    def together(self) -> int:
        """Customers in one exchange at most: `tmf.batch_size`, with a `tmf.batch_style`."""
        tmf = self.connection.tmf
        return 1 if tmf.batch_style in (None, "off") else tmf.batch_size or 50

    @property
    def guard(self) -> settings.Guard:
        guard = self.connection.guard
        adaptive = guard.adaptive_concurrency.model_copy(update={"enabled": self.adaptive})
        return guard.model_copy(update={"adaptive_concurrency": adaptive})


def connection(**wire: object) -> settings.Connection:
    """As an adapter has it by default, but for these settings of `wire`."""
    return settings.Connection(vendor="amdocs", wire=settings.Wire.model_validate(wire))
