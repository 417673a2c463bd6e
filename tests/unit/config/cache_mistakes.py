"""Mistakes about the cache, as those of `mistakes`."""

from tests.unit.config.files import GONE
from tests.unit.config.mistakes import TLS, Changes

REDIS = {
    "store": "redis",
    "master_keys_file": "/run/master",
    "name_keys_file": "/run/names",
    "redis": {"url": "rediss://redis.example.com:6379/0"},
}
"""A good group `cache`."""
AT = "cache.redis"
SENTINELS = {"sentinels": ["a.example.com:26379"], "sentinel_service": "mymaster"}

CACHE_MISTAKES: list[tuple[str, Changes, Changes]] = [
    ("cache.ttl", {"cache.ttl": "301s"}, {"cache.ttl": "300s"}),
    ("cache.ttl", {"cache.ttl": "0s"}, {"cache.ttl": "5s"}),
    (
        "cache.staleness",
        {"cache": {"ttl": "1m", "staleness": "5m"}},
        {"cache": {"ttl": "1m", "staleness": "4m"}},
    ),
    ("cache.staleness", {"cache.staleness": 0}, {"cache.staleness": "0s"}),
    ("cache.negative_ttl", {"cache.negative_ttl": "31s"}, {"cache.negative_ttl": "30s"}),
    ("cache.read_budget", {"cache.read_budget": "450ms"}, {"cache.read_budget": "10ms"}),
    ("cache.store", {"cache.store": "disk"}, {"cache.store": "off"}),
    (AT, {"cache": REDIS, AT: GONE}, {"cache": REDIS}),
    *(
        (f"cache.{name}", {"cache": {**REDIS, name: None}}, {"cache": REDIS})
        for name in ("master_keys_file", "name_keys_file")
    ),
    (
        "cache.name_keys_file",
        {"cache": {**REDIS, "name_keys_file": "/run/master"}},
        {"cache": REDIS},
    ),
    (f"{AT}.url", {"cache": {**REDIS, "redis": {}}}, {"cache": REDIS}),
    *(
        (f"{AT}.url", {"cache": {**REDIS, "redis": {"url": bad}}}, {"cache": REDIS})
        for bad in ("redis.example.com", "https://a.example.com/", "redis://", "unix://run/x")
    ),
    (
        f"{AT}.url",
        {"cache": {**REDIS, "redis": {"url": "redis://a.example.com:6379/zero"}}},
        {"cache": {**REDIS, "redis": {"url": "unix:///run/redis.sock"}}},
    ),
    (
        f"{AT}.url",
        {"cache": {**REDIS, "redis": {"url": "rediss://us:er@a.example.com"}}},
        {"cache": {**REDIS, "redis": {"url": "rediss://a.example.com", "username": "us"}}},
    ),
    (
        f"{AT}.url",
        {"cache": {**REDIS, "redis": {"url": "rediss://a.example.com:1/3", "cluster": True}}},
        {"cache": {**REDIS, "redis": {"url": "rediss://a.example.com:1", "cluster": True}}},
    ),
    (
        f"{AT}.url",
        {"cache": {**REDIS, "redis": {**SENTINELS, "url": "rediss://a.example.com"}}},
        {"cache": {**REDIS, "redis": SENTINELS}},
    ),
    (
        f"{AT}.sentinels",
        {"cache": {**REDIS, "redis": {**SENTINELS, "sentinels": ["a.example.com"]}}},
        {"cache": {**REDIS, "redis": {**SENTINELS, "sentinels": ["[::1]:26379"]}}},
    ),
    (
        f"{AT}.sentinel_service",
        {"cache": {**REDIS, "redis": {**SENTINELS, "sentinel_service": None}}},
        {"cache": {**REDIS, "redis": SENTINELS}},
    ),
    (
        f"{AT}.cluster",
        {"cache": {**REDIS, "redis": {**SENTINELS, "cluster": True}}},
        {"cache": {**REDIS, "redis": SENTINELS}},
    ),
    (
        f"{AT}.tls",
        {"cache": {**REDIS, "redis": {"url": "redis://a.example.com", "tls": TLS}}},
        {"cache": {**REDIS, "redis": {"url": "rediss://a.example.com", "tls": TLS}}},
    ),
    (
        f"{AT}.tls.key_file",
        {"cache": REDIS, f"{AT}.tls": {"certificate_file": "/run/tls.crt"}},
        {"cache": REDIS, f"{AT}.tls": TLS},
    ),
    (
        f"{AT}.tls.certificate_file",
        {"cache": REDIS, f"{AT}.tls": {"key_file": "/run/tls.key"}},
        {"cache": REDIS, f"{AT}.tls": TLS},
    ),
    (
        f"{AT}.tls.server_name",
        {"cache": REDIS, f"{AT}.tls": {"server_name": "https://a"}},
        {"cache": REDIS, f"{AT}.tls": {"server_name": "a.example.com"}},
    ),
    (
        f"{AT}.password",
        {"cache": REDIS, f"{AT}.password": "${SECRET}", f"{AT}.password_file": "/run/password"},
        {"cache": REDIS, f"{AT}.password": "${SECRET}"},
    ),
    (
        f"{AT}.password",
        {"cache": REDIS, f"{AT}.password": "hunter2"},
        {"cache": REDIS, f"{AT}.password_file": "/run/password"},
    ),
    (f"{AT}.connections", {"cache": REDIS, f"{AT}.connections": 0}, {"cache": REDIS}),
]
