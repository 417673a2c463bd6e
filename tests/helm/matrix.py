"""Values that operators have, each with what is special about it."""

from typing import Any

FULL: dict[str, Any] = {
    "inject": {
        "namespaces": ["pedkai-uk", "pedkai-de"],
        "tenants": {"pedkai-uk": ["operator_uk", "operator_ie"], "pedkai-de": ["operator_de"]},
    },
    "configuration": {
        "default_tenant": "operator_uk",
        "connections": {
            "amdocs": {
                "vendor": "amdocs",
                "base_url": "https://amdocs.example.com/",
                "tls": {
                    "certificate_file": "/etc/bss-sidecar/credentials/amdocs/tls.crt",
                    "key_file": "/etc/bss-sidecar/credentials/amdocs/tls.key",
                    "trust_bundle_file": "/etc/bss-sidecar/trust/amdocs/ca.crt",
                },
                "identity": {"kind": "file", "file": "/etc/bss-sidecar/identity/amdocs.csv"},
                "wire": {"egress_proxy": "http://proxy.example.com:3128"},
            },
            "cerillion": {
                "vendor": "cerillion",
                "base_url": "https://cerillion.example.com/apiman-gateway/ORG/",
                "oauth2": {
                    "token_url": "https://cerillion.example.com/token",
                    "client_id": "${CERILLION_CLIENT}",
                    "client_secret_file": "/etc/bss-sidecar/credentials/cerillion/client-secret",
                },
                "tmf": {"page_size": 50},
            },
        },
        "tenants": {
            "operator_uk": {"connection": "amdocs"},
            "operator_ie": {"connection": "amdocs", "reporting_currency": "EUR"},
            "operator_de": {"connection": "cerillion", "reporting_currency": "EUR"},
        },
        "deadlines": {"single": "400ms"},
        "cache": {
            "store": "redis",
            "entries": 10_000_000,
            "master_keys_file": "/etc/bss-sidecar/cache-keys/master-keys",
            "name_keys_file": "/etc/bss-sidecar/cache-keys/name-keys",
            "redis": {
                "url": "rediss://redis.example.com:6379/0",
                "password_file": "/etc/bss-sidecar/redis/password",
            },
        },
    },
    "credentials": {
        "amdocs": {"existingSecret": "amdocs-client"},
        "cerillion": {"existingSecret": "cerillion-client"},
    },
    "trust": {"amdocs": {"existingConfigMap": "amdocs-ca"}},
    "identity": {"existingSecret": "customer-ids"},
    "cacheKeys": {"existingSecret": "bss-cache-keys"},
    "redisCredentials": {"existingSecret": "bss-redis"},
    "extraEnv": [
        {
            "name": "CERILLION_CLIENT",
            "valueFrom": {
                "secretKeyRef": {"name": "cerillion-client", "key": "client-id", "optional": True}
            },
        }
    ],
}

_DEMO = {
    "connections": {"mock": {"vendor": "mock"}},
    "tenants": {"mock_demo": {"connection": "mock"}},
}
_VAULT = {"name": "vault", "kind": "ClusterSecretStore"}

REDIS: dict[str, Any] = {
    "configuration": _DEMO,
    "cacheKeys": {"existingSecret": "bss-cache-keys"},
    "redisCredentials": {"existingSecret": "bss-redis-client"},
    "redis": {"enabled": True, "existingSecret": "bss-redis"},
}
MONITORING: dict[str, Any] = {
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True, "namespace": "monitoring"},
}
SECRETS: dict[str, Any] = {
    "credentials": {
        "amdocs": {"existingSecret": "amdocs-client"},
        "cerillion": {"existingSecret": "cerillion-client"},
    },
    "certificates": {
        "amdocs": {
            "commonName": "pedkai",
            "uris": ["spiffe://example.com/pedkai"],
            "issuerRef": {"name": "amdocs", "kind": "ClusterIssuer"},
        }
    },
    "externalSecrets": {
        "cerillion-client": {
            "secretStoreRef": _VAULT,
            "dataFrom": [{"extract": {"key": "bss/cerillion"}}],
        }
    },
}
CHECK: dict[str, Any] = {
    "configuration": _DEMO,
    "check": {"enabled": True},
    "extraEnv": [{"name": "EGRESS", "value": "http://proxy.example.com:3128"}],
    "image": {"pullSecrets": ["registry"]},
}
ALL_PARTS: dict[str, Any] = {
    **FULL,
    **MONITORING,
    "redis": {
        "enabled": True,
        "existingSecret": "bss-redis",
        "cpuLimit": "1",
        "image": {"digest": "sha256:" + "fedcba9876543210" * 4},
    },
    "configuration": {**FULL["configuration"], "cache": {"entries": 10_000_000}},
    "certificates": SECRETS["certificates"],
    "externalSecrets": SECRETS["externalSecrets"],
    "check": {"enabled": True},
    "resources": {"cpuLimit": "1"},
}
"""In two namespaces."""

MATRIX: dict[str, dict[str, Any]] = {
    "nothing is set": {},
    "everything of a connection": FULL,
    "a unix socket": {"authentication": "socket"},
    "no authentication": {"authentication": "none", "logLevel": "debug"},
    "a policy that must not fail": {"inject": {"failurePolicy": "Fail", "countLeftAlone": False}},
    "many namespaces": {"inject": {"namespaces": [f"pedkai-{n}" for n in range(6)]}},
    "an image by its digest": {
        "image": {
            "repository": "registry.example:5000/team/bss-sidecar",
            "digest": "sha256:" + "0123456789abcdef" * 4,
            "pullPolicy": "Always",
            "pullSecrets": ["registry", "mirror"],
        }
    },
    "a CPU limit": {"resources": {"cpuLimit": "1.5", "cpuRequest": "250m", "memory": "0.5Gi"}},
    "a cluster that assigns users": {"securityContext": {"runAsUser": None, "runAsGroup": None}},
    "other ports": {"ports": {"data": 18650, "ops": 18651, "admin": 18652}},
    "a readiness probe": {
        "probes": {"readiness": {"enabled": True}, "startup": {"periodSeconds": 2}}
    },
    "extra volumes": {
        "extraVolumes": [
            {"name": "ids", "configMap": {"name": "ids", "optional": True}},
            {"name": "scratch", "emptyDir": {}},
        ],
        "extraVolumeMounts": [
            {"name": "ids", "mountPath": "/ids", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  (in a container)
        ],
        "extraEnv": [{"name": "SSL_CERT_FILE", "value": 'a "quoted" \\ value: {x} é'}],
    },
    "labels and annotations": {
        "labels": {"cost-centre": "42"},
        "annotations": {"example.com/owner": "bss: #1"},
        "pod": {
            "labels": {"example.com/sidecar": "bss"},
            "annotations": {"prometheus.io/scrape": "true"},
        },
        "fullnameOverride": "billing",
    },
    "a trust bundle as a Secret": {
        "trust": {"old": {"existingSecret": "ca-2025"}, "new": {"existingSecret": "ca-2026"}}
    },
    "a Redis": REDIS,
    "a Redis of a cluster that assigns users": {
        **REDIS,
        "redis": {**REDIS["redis"], "runAsUser": None, "networkPolicy": False},
    },
    "monitoring": MONITORING,
    "Secrets that others make": SECRETS,
    "a look before": CHECK,
    "all parts": ALL_PARTS,
}
