"""The store that the settings name."""

from config import settings
from proxy.cache.cluster_store import cluster_store
from proxy.cache.redis_client import Login
from proxy.cache.redis_store import TIMEOUT_S, RedisStore, single_store


def redis_store(
    setting: settings.Redis, login: Login, *, timeout_s: float = TIMEOUT_S
) -> RedisStore:
    """Connects to nobody yet. Raises `ValueError` for a setting that names no Redis.

    Another login, or a certificate that was replaced, needs a new one.
    """
    opened = cluster_store if setting.cluster else single_store
    return opened(setting, login, timeout_s=timeout_s)
