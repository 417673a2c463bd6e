"""Slips and contradictions in the values are refused before anything reaches a cluster."""

from typing import Any

import pytest

from tests.helm.charts import Refused, render

CONNECTION = {"vendor": "mock"}


def configured(**connection: Any) -> dict[str, Any]:
    return {"configuration": {"connections": {"billing": {**CONNECTION, **connection}}}}


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
        "resources.cpuLimit (0.04) is below resources.cpuRequest (50m)",
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


@pytest.mark.parametrize(("values", "words"), REFUSED.values(), ids=REFUSED.keys())
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
