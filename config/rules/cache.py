"""What must hold of the cache: how long it keeps, with which keys, and where its Redis is."""

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from config.addresses import is_host, is_loopback
from config.problems import Place
from config.rules.case import Finding, ServiceRule
from config.settings import Redis, Settings
from config.units import format_duration

LONGEST_S = 300.0
"""Nothing of anybody is kept for longer."""
_LONG_READ_S = 0.05
_CACHE: Place = ("cache",)
_REDIS: Place = ("cache", "redis")
_KEYS = ("master_keys_file", "name_keys_file")


def _lives_are_short(settings: Settings) -> Iterator[Finding]:
    cache = settings.cache
    longest = f"at most {format_duration(LONGEST_S)}"
    if cache.ttl > LONGEST_S:
        what = "is longer than anything of anybody may be kept"
        yield Finding((*_CACHE, "ttl"), what, longest)
    elif cache.ttl + cache.staleness > LONGEST_S:
        yield Finding(
            (*_CACHE, "staleness"),
            "makes ttl and staleness together longer than anything of anybody may be kept",
            f"{longest} together",
            needs=((*_CACHE, "ttl"),),
        )
    if "negative_ttl" in cache.model_fields_set and cache.negative_ttl > cache.ttl:
        yield Finding(
            (*_CACHE, "negative_ttl"),
            "is longer than ttl",
            f"at most {format_duration(cache.ttl)}",
            needs=((*_CACHE, "ttl"),),
        )


def _reads_are_short(settings: Settings) -> Iterator[Finding]:
    budget, single = settings.cache.read_budget, settings.deadlines.single
    place = (*_CACHE, "read_budget")
    if budget >= single:
        what = "leaves a question about one customer no time to ask the vendor"
        instead = f"less than {format_duration(single)}, and best a few milliseconds"
        yield Finding(place, what, instead, needs=(("deadlines", "single"),))
    elif budget > _LONG_READ_S:
        what = "is what questions wait for while Redis hangs"
        yield Finding(place, what, "a few milliseconds", serious=False)


def _redis_has_what_it_needs(settings: Settings) -> Iterator[Finding]:
    cache = settings.cache
    if cache.store != "redis":
        return
    store: Place = (*_CACHE, "store")
    if cache.redis is None:
        yield Finding(_REDIS, "is missing", "redis: with url or sentinels", needs=(store,))
    for name in _KEYS:
        if getattr(cache, name) is None:
            what = "is missing, and nothing is kept in a Redis unsealed"
            instead = "the path of a mounted file; bss-sidecar new-key prints a key for it"
            yield Finding((*_CACHE, name), what, instead, needs=(store,))
    if cache.master_keys_file is not None and cache.master_keys_file == cache.name_keys_file:
        what = "is the file of master_keys_file as well"
        place = (*_CACHE, "name_keys_file")
        yield Finding(place, what, "a file of its own, with other keys in it")


def _nothing_of_redis_is_idle(settings: Settings) -> Iterator[Finding]:
    cache = settings.cache
    if cache.store == "redis":
        return
    for name in ("redis", *_KEYS):
        if getattr(cache, name) is not None:
            what = f"is not used by the store {cache.store}"
            instead = "store: redis, or nothing"
            yield Finding((*_CACHE, name), what, instead, serious=False)


def _redis_is_somewhere(settings: Settings) -> Iterator[Finding]:
    redis = settings.cache.redis
    if redis is None:
        return
    url, sentinels = (*_REDIS, "url"), (*_REDIS, "sentinels")
    if redis.sentinels:
        yield from _sentinels_are_whole(redis)
        if redis.url is not None:
            what = "stands beside sentinels, who say where the master is"
            yield Finding(url, what, "sentinels alone, or url alone", needs=(sentinels,))
        return
    if redis.url is None:
        instead = "redis://HOST:PORT, rediss://… or unix:///PATH, or sentinels"
        yield Finding(url, "is missing", instead, needs=(sentinels,))
    else:
        yield from _url_is_of_a_redis(redis, redis.url)
    for name in ("sentinel_service", "database"):
        if name in redis.model_fields_set and getattr(redis, name):
            what = "is not used without sentinels"
            instead = "nothing; the number of a database belongs into the URL"
            yield Finding((*_REDIS, name), what, instead, needs=(sentinels,), serious=False)


def _sentinels_are_whole(redis: Redis) -> Iterator[Finding]:
    place = (*_REDIS, "sentinels")
    if any(not _is_place(one) for one in redis.sentinels):
        yield Finding(place, "names something that is no HOST:PORT", "such as [10.0.0.1:26379]")
    if redis.sentinel_service is None:
        what = "is missing, and Sentinels are asked for a master by name"
        place_of_service = (*_REDIS, "sentinel_service")
        yield Finding(place_of_service, what, "the name, often mymaster", needs=(place,))
    if redis.cluster:
        what = "is true beside sentinels, and a Cluster has none"
        yield Finding((*_REDIS, "cluster"), what, "url with a node of the Cluster", needs=(place,))


def _url_is_of_a_redis(redis: Redis, url: str) -> Iterator[Finding]:
    place = (*_REDIS, "url")
    parts = _split(url)
    if parts is None:
        instead = "redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///PATH"
        yield Finding(place, "is not the URL of a Redis", instead)
        return
    if "@" in parts.netloc:
        instead = "the URL without it; username and password_file beside it"
        yield Finding(place, "carries a login", instead)
    elif redis.cluster and (parts.scheme == "unix" or parts.path.strip("/") not in {"", "0"}):
        what = "is not of a node: a Cluster has one database, and no unix socket"
        yield Finding(place, what, "rediss://HOST:PORT", needs=((*_REDIS, "cluster"),))


def _tls_is_meant(settings: Settings) -> Iterator[Finding]:
    redis = settings.cache.redis
    if redis is None:
        return
    scheme = (redis.url or "").partition(":")[0].casefold()
    if redis.tls is not None and scheme in {"redis", "unix"} and not redis.sentinels:
        what = "is not used, for the URL is not rediss://"
        yield Finding((*_REDIS, "tls"), what, "rediss://…, or nothing", needs=((*_REDIS, "url"),))
    if (tls := redis.tls) is None:
        return
    at = (*_REDIS, "tls")
    if tls.certificate_file and not tls.key_file:
        place = (*at, "key_file")
        yield Finding(place, "is missing", "the key that belongs to certificate_file")
    if tls.key_file and not tls.certificate_file:
        place = (*at, "certificate_file")
        yield Finding(place, "is missing", "the certificate that belongs to key_file")
    if tls.server_name is not None and not is_host(tls.server_name):
        place = (*at, "server_name")
        yield Finding(place, "is not a host name", "such as redis.example.com")


def _login_is_one(settings: Settings) -> Iterator[Finding]:
    redis = settings.cache.redis
    if redis is None:
        return
    password, in_file = (*_REDIS, "password"), (*_REDIS, "password_file")
    if redis.password is not None and redis.password_file is not None:
        instead = "password_file alone, which rotates"
        yield Finding(password, "stands beside password_file", instead)
    given = redis.password_file or redis.password
    parts = None if redis.sentinels else _split(redis.url or "")
    plain = parts is not None and parts.scheme == "redis" and not is_loopback(parts.hostname or "")
    if given and (plain or (redis.sentinels and redis.tls is None)):
        place = in_file if redis.password_file else password
        what = "crosses the network in the open"
        instead = "tls" if redis.sentinels else "rediss:// in url"
        yield Finding(place, what, instead, serious=False)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_socket = parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc
        is_server = parts.scheme in {"redis", "rediss"} and is_host(parts.hostname or "")
        is_server = is_server and parts.port != 0 and not (parts.query or parts.fragment)
        is_server = is_server and (parts.path.strip("/") or "0").isdecimal()
    except ValueError:
        return None
    return parts if is_socket or is_server else None


def _is_place(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return is_host(parts.hostname or "") and bool(parts.port) and parts.netloc == text
    except ValueError:
        return False


CACHE_RULES: tuple[ServiceRule, ...] = (
    _lives_are_short,
    _reads_are_short,
    _redis_has_what_it_needs,
    _nothing_of_redis_is_idle,
    _redis_is_somewhere,
    _tls_is_meant,
    _login_is_one,
)
