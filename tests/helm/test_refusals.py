"""Slips and contradictions in the values are refused before anything reaches a cluster."""

from typing import Any

import pytest

from tests.helm.charts import Refused, render
from tests.helm.making import needed
from tests.helm.matrix import ALL_PARTS, REDIS, SECRETS

CONNECTION = {"vendor": "mock"}


def configured(**connection: Any) -> dict[str, Any]:
    return {"configuration": {"connections": {"billing": {**CONNECTION, **connection}}}}


def redis(**changed: Any) -> dict[str, Any]:
    return {**REDIS, "redis": {**REDIS["redis"], **changed}}


def cache(**of: Any) -> dict[str, Any]:
    return {**REDIS, "configuration": {**REDIS["configuration"], "cache": of}}


def certificate(**changed: Any) -> dict[str, Any]:
    asked = {**SECRETS["certificates"]["amdocs"], **changed}
    return {**SECRETS, "certificates": {"amdocs": asked}}


STORE = {"secretStoreRef": {"name": "vault"}, "data": [{"secretKey": "a"}]}

REFUSED_OF_PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "a Redis without its Secrets": (
        {"redis": {"enabled": True}},
        "redis.enabled needs redisCredentials.existingSecret",
    ),
    "a Redis without keys": ({**REDIS, "cacheKeys": {}}, "needs cacheKeys.existingSecret"),
    "a Redis that nobody would ask": (cache(store="memory"), "cache.store is memory"),
    "a Redis beside another": (cache(redis={"url": "rediss://r:1/0"}), "cache.redis.url leads to"),
    "more in Redis than it has memory": (
        redis(maxMemory="160mb"),
        "redis.maxMemory (160mb) must be below redis.memory (160Mi)",
    ),
    "memory in another spelling": (redis(maxMemory="96Mi"), "redis.maxMemory"),
    "a CPU limit of Redis below what is asked for": (
        redis(cpuLimit="10m"),
        "redis.cpuLimit (10m) is below redis.cpuRequest (50m)",
    ),
    "a Redis as root": (redis(runAsUser=0), "redis.runAsUser"),
    "a slip in a Redis value": (redis(persistance=True), "persistance"),
    "a Service that begins with a digit": (
        {**REDIS, "fullnameOverride": "5g"},
        "must begin with a letter, and not as 5g-redis",
    ),
    "a scrape longer than its interval": (
        {"podMonitor": {"interval": "1m", "scrapeTimeout": "1m1s"}},
        "podMonitor.scrapeTimeout (1m1s) is above podMonitor.interval (1m)",
    ),
    "an interval without a unit": ({"podMonitor": {"interval": "15"}}, "podMonitor.interval"),
    "a label that is none": (
        {"prometheusRule": {"labels": {"release": "a b"}}},
        "prometheusRule.labels.release",
    ),
    "a dashboard in a namespace in capitals": (
        {"dashboard": {"namespace": "Monitoring"}},
        "dashboard.namespace",
    ),
    "a certificate for no credentials": (
        {"certificates": SECRETS["certificates"]},
        "certificates.amdocs has no credentials.amdocs",
    ),
    "a certificate without an issuer": (
        {**SECRETS, "certificates": {"amdocs": {"commonName": "pedkai"}}},
        "issuerRef is required",
    ),
    "a certificate that is always renewed": (
        certificate(duration="24h"),
        "renewBefore (720h) must be below duration (24h)",
    ),
    "an external Secret that nobody mounts": (
        {**SECRETS, "externalSecrets": {"cerilion-client": STORE}},
        "externalSecrets.cerilion-client fills a Secret of that name, which no other value names",
    ),
    "a Secret that two make": (
        {**SECRETS, "externalSecrets": {"amdocs-client": STORE}},
        "amdocs-client would be filled by each of certificates.amdocs, externalSecrets.amdocs",
    ),
    "an external Secret without a source": (
        {**SECRETS, "externalSecrets": {"cerillion-client": {"secretStoreRef": {"name": "v"}}}},
        "externalSecrets.cerillion-client",
    ),
    "a deadline in words": ({"check": {"deadlineSeconds": "2m"}}, "check.deadlineSeconds"),
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a key that there is not": ({"injct": {}}, "injct"),
    "a slip in a group": ({"inject": {"namespace": ["a"]}}, "namespace"),
    "a mode that there is not": ({"inject": {"mode": "webhook"}}, '"policy"'),
    "a text for a list": ({"inject": {"namespaces": "pedkai"}}, "inject.namespaces"),
    "a namespace twice": ({"inject": {"namespaces": ["a", "a"]}}, "inject.namespaces"),
    "a namespace in capitals": ({"inject": {"namespaces": ["Pedkai"]}}, "inject.namespaces.0"),
    "a failure policy that there is not": ({"inject": {"failurePolicy": "ignore"}}, '"Ignore"'),
    "an authentication that there is not": ({"authentication": "mtls"}, '"token"'),
    "a log level that there is not": ({"logLevel": "verbose"}, '"debug"'),
    "a port as a text": ({"ports": {"ops": "8651"}}, "ports.ops"),
    "a port of root's": ({"ports": {"data": 80}}, "ports.data"),
    "a user that is root": ({"securityContext": {"runAsUser": 0}}, "securityContext.runAsUser"),
    "memory that is no quantity": ({"resources": {"memory": "256 MB"}}, "resources.memory"),
    "a Secret without a name": ({"credentials": {"a": {}}}, "existingSecret is required"),
    "trust in two places": (
        {"trust": {"a": {"existingSecret": "a", "existingConfigMap": "b"}}},
        "trust.a",
    ),
    "a folder that leads elsewhere": ({"credentials": {"../a": {"existingSecret": "a"}}}, "../a"),
    "a digest cut short": ({"image": {"digest": "sha256:0123"}}, "image.digest"),
    "a volume of our name": ({"extraVolumes": [{"name": "bss-sidecar-run"}]}, "extraVolumes.0"),
    "a setting that there is not": (configured(wire={"concurency": 3}), "concurency"),
    "a vendor that there is not": (configured(vendor="amdox"), '"amdocs"'),
    "a duration without a unit": (configured(wire={"connect_timeout": 3}), "connect_timeout"),
    "a listener, which the chart sets": (
        {"configuration": {"listeners": {"data": {"port": 1}}}},
        "listeners",
    ),
    "a tenant in capitals": (
        {"configuration": {"tenants": {"Operator": {"connection": "billing"}}}},
        "Operator",
    ),
    "tenants of a namespace that is not listed": (
        {"inject": {"tenants": {"pedkai": [], "elsewhere": []}}},
        "inject.tenants names the namespace elsewhere, which is not among inject.namespaces",
    ),
    "a namespace that nothing is said of": (
        {"inject": {"namespaces": ["one", "two"], "tenants": {"one": []}}},
        "inject.tenants says nothing of the namespace two",
    ),
    "a tenant that is not configured": (
        {"inject": {"tenants": {"pedkai": ["operator"]}}},
        "names the tenant operator, which is not among configuration.tenants (none)",
    ),
    "a connection that is not configured": (
        {"configuration": {"tenants": {"operator": {"connection": "billing"}}}},
        "names the connection billing, which is not among configuration.connections (none)",
    ),
    "a default tenant that is not configured": (
        {"configuration": {"default_tenant": "operator"}},
        "configuration.default_tenant is operator",
    ),
    "one port for two": ({"ports": {"ops": 8650}}, "must differ: 8650, 8650, 8652"),
    "less memory than it starts with": (
        {"resources": {"memory": "100M"}},
        "resources.memory (100M) is below resources.memoryFloor (128Mi)",
    ),
    "a CPU limit below what is asked for": (
        {"resources": {"cpuLimit": "0.04"}},
        "resources.cpuLimit (0.04) is below resources.cpuRequest (100m)",
    ),
    "a file in a folder that is not mounted": (
        configured(tls={"trust_bundle_file": "/etc/bss-sidecar/trust/billing/ca.crt"}),
        "but trust.billing is not set",
    ),
    "an identity map that is not mounted": (
        configured(identity={"kind": "file", "file": "/etc/bss-sidecar/identity/ids.csv"}),
        "but identity.existingSecret is not set",
    ),
    "a mount of no volume": (
        {"extraVolumeMounts": [{"name": "ids", "mountPath": "/ids"}]},
        "extraVolumeMounts names the volume ids, which is not among extraVolumes",
    ),
}


ALL_REFUSED = REFUSED | REFUSED_OF_PARTS


@pytest.mark.parametrize(("values", "words"), ALL_REFUSED.values(), ids=ALL_REFUSED.keys())
def test_it_is_refused_in_words_that_say_what_and_where(values: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        render(values)
    assert words in str(refused.value)


def test_an_older_cluster_is_told_what_to_set() -> None:
    with pytest.raises(Refused, match=r'Set inject\.mode to "template"'):
        render(kubernetes="1.35.9")


def test_all_contradictions_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        render({"ports": {"ops": 8650}, "resources": {"memory": "1Mi"}}, kubernetes="1.33.0")
    for words in ("must differ", "resources.memoryFloor", "Kubernetes 1.36"):
        assert words in str(refused.value)


def test_a_cluster_without_native_sidecars_is_refused() -> None:
    with pytest.raises(Refused, match=r"1\.29"):
        render({"inject": {"mode": "template"}}, kubernetes="1.28.15")


def without(values: dict[str, Any], path: str) -> dict[str, Any]:
    """As helm takes a value out: by `null`."""
    head, _, rest = path.partition(".")
    inner = values.get(head) if isinstance(values.get(head), dict) else {}
    return {**values, head: without(inner or {}, rest) if rest else None}


def test_values_that_an_older_release_did_not_have_are_told_by_name() -> None:
    """`helm upgrade --reuse-values` takes them out just so."""
    values: dict[str, Any] = {}
    for path in needed():
        values = without(values, path)
    with pytest.raises(Refused, match="--reset-then-reuse-values") as refused:
        render(values)
    told = str(refused.value).partition("missing: ")[2].partition(". With")[0]
    assert told.split(", ") == needed()


def test_values_that_say_nothing_may_be_missing_altogether() -> None:
    empty = ["inject.namespaces", "identity.existingSecret", "cacheKeys.existingSecret"]
    empty += ["redisCredentials.existingSecret", "image.tag", "image.digest", "image.pullSecrets"]
    empty += ["resources.cpuLimit", "securityContext.runAsUser", "securityContext.runAsGroup"]
    empty += ["extraVolumes", "extraVolumeMounts", "extraEnv", "redis.existingSecret"]
    empty += ["redis.image.digest", "redis.runAsUser", "redis.cpuLimit", "dashboard.namespace"]
    empty += ["fullnameOverride"]
    values: dict[str, Any] = {"check": {"enabled": True}, "dashboard": {"enabled": True}}
    for path in empty:
        assert path not in needed()
        values = without(values, path)
    assert render(values)
    more = without(without(ALL_PARTS, "redis.runAsUser"), "redis.cpuLimit")
    assert render(without(more, "redis.image.digest"))
