"""Mistakes, each with its mended form: (path of the problem, the mistake, the remedy).

Both are changes to the good document of `files`.
"""

from collections.abc import Mapping

from tests.unit.config.files import GONE

AMDOCS = "connections.amdocs"
CSG = "connections.csg"
LOCAL = "connections.local"
GUARD = f"{AMDOCS}.guard"

TLS = {"certificate_file": "/run/tls.crt", "key_file": "/run/tls.key"}

Changes = Mapping[str, object]
MISTAKES: list[tuple[str, Changes, Changes]] = [
    ("schema_version", {"schema_version": 2}, {"schema_version": 1}),
    ("schema_version", {"schema_version": GONE}, {"schema_version": 1}),
    (f"{AMDOCS}.vendor", {f"{AMDOCS}.vendor": "amdoc"}, {f"{AMDOCS}.vendor": "amdocs"}),
    (f"{AMDOCS}.vendor", {f"{AMDOCS}.vendor": GONE}, {f"{AMDOCS}.vendor": "amdocs"}),
    (
        f"{AMDOCS}.base_url",
        {f"{AMDOCS}.base_url": GONE, f"{AMDOCS}.apis": {"account": "https://a.example.com/"}},
        {
            f"{AMDOCS}.base_url": GONE,
            f"{AMDOCS}.apis": dict.fromkeys(
                ("product_inventory", "account", "customer", "customer_bill", "trouble_ticket"),
                "https://a.example.com/",
            ),
        },
    ),
    (
        f"{AMDOCS}.base_url",
        {f"{AMDOCS}.base_url": "amdocs.example.com"},
        {f"{AMDOCS}.base_url": "https://amdocs.example.com"},
    ),
    (
        f"{AMDOCS}.base_url",
        {f"{AMDOCS}.base_url": "https://a.example.com/?version=4"},
        {f"{AMDOCS}.base_url": "https://a.example.com/"},
    ),
    (
        f"{AMDOCS}.base_url",
        {f"{AMDOCS}.base_url": "http://a.example.com/"},
        {f"{AMDOCS}.base_url": "https://a.example.com/"},
    ),
    (
        f"{AMDOCS}.apis.account",
        {f"{AMDOCS}.apis": {"account": "http://a.example.com/"}},
        {f"{AMDOCS}.apis": {"account": "https://a.example.com/"}},
    ),
    (
        f"{AMDOCS}.apis.acount",
        {f"{AMDOCS}.apis": {"acount": "https://a.example.com/"}},
        {f"{AMDOCS}.apis": {"account": "https://a.example.com/"}},
    ),
    (
        f"{AMDOCS}.oauth2.token_url",
        {f"{AMDOCS}.oauth2.token_url": "http://a.example.com/token"},
        {f"{AMDOCS}.oauth2.token_url": "https://a.example.com/token"},
    ),
    (
        f"{CSG}.base_url",
        {f"{CSG}.insecure": False, f"{CSG}.tls": TLS},
        {f"{CSG}.insecure": True, f"{CSG}.tls": TLS},
    ),
    (
        f"{CSG}.insecure",
        {f"{CSG}.base_url": "http://csg.example.com/"},
        {f"{CSG}.base_url": "http://[::1]:9443/"},
    ),
    (
        f"{CSG}.insecure",
        {f"{CSG}.base_url": "https://csg.example.com/"},
        {f"{CSG}.base_url": "http://localhost:9443/"},
    ),
    (
        f"{CSG}.insecure",
        {f"{CSG}.wire": {"egress_proxy": "http://proxy.example.com:3128"}},
        {f"{CSG}.wire": {"concurrency": 4}},
    ),
    (
        AMDOCS,
        {f"{AMDOCS}.tls": GONE, f"{AMDOCS}.oauth2": GONE},
        {f"{AMDOCS}.oauth2": GONE},
    ),
    (
        f"{AMDOCS}.tls.key_file",
        {f"{AMDOCS}.tls": {"certificate_file": "/run/tls.crt"}},
        {f"{AMDOCS}.tls": {"trust_bundle_file": "/run/ca.crt"}},
    ),
    (
        f"{AMDOCS}.tls.certificate_file",
        {f"{AMDOCS}.tls.certificate_file": GONE},
        {f"{AMDOCS}.tls": GONE},
    ),
    (
        f"{AMDOCS}.tls.server_name",
        {f"{AMDOCS}.tls.server_name": "https://a.example.com"},
        {f"{AMDOCS}.tls.server_name": "a.example.com"},
    ),
    (
        f"{AMDOCS}.oauth2.client_secret_file",
        {f"{AMDOCS}.oauth2.client_secret_file": GONE},
        {f"{AMDOCS}.oauth2.client_secret_file": "/run/other"},
    ),
    (
        f"{AMDOCS}.oauth2.client_secret",
        {f"{AMDOCS}.oauth2.client_secret": "${SECRET}"},
        {
            f"{AMDOCS}.oauth2.client_secret": "${SECRET}",
            f"{AMDOCS}.oauth2.client_secret_file": GONE,
        },
    ),
    (
        f"{AMDOCS}.oauth2.signing_key_file",
        {f"{AMDOCS}.oauth2.method": "private_key_jwt"},
        {
            f"{AMDOCS}.oauth2.method": "private_key_jwt",
            f"{AMDOCS}.oauth2.signing_key_file": "/run/signing.key",
        },
    ),
    (
        f"{AMDOCS}.oauth2.method",
        {f"{AMDOCS}.oauth2.method": "tls_client_auth", f"{AMDOCS}.tls": GONE},
        {f"{AMDOCS}.oauth2.method": "tls_client_auth"},
    ),
    (
        f"{AMDOCS}.oauth2.method",
        {f"{AMDOCS}.oauth2.method": "password"},
        {f"{AMDOCS}.oauth2.method": "client_secret_post"},
    ),
    (
        f"{AMDOCS}.headers.Authorization",
        {f"{AMDOCS}.headers": {"Authorization": "${SECRET}"}},
        {f"{AMDOCS}.headers": {"X-Api-Key": "${SECRET}"}},
    ),
    (
        f'{AMDOCS}.headers."X Channel"',
        {f"{AMDOCS}.headers": {"X Channel": "pedkai"}},
        {f"{AMDOCS}.headers": {"X-Channel": "pedkai"}},
    ),
    (
        f"{AMDOCS}.wire.warm_connections",
        {f"{AMDOCS}.wire": {"warm_connections": 9, "concurrency": 8}},
        {f"{AMDOCS}.wire": {"warm_connections": 8, "concurrency": 8}},
    ),
    (
        f"{AMDOCS}.wire.connect_timeout",
        {f"{AMDOCS}.wire": {"connect_timeout": "900ms", "exchange_timeout": "800ms"}},
        {f"{AMDOCS}.wire": {"connect_timeout": "800ms", "exchange_timeout": "900ms"}},
    ),
    (
        f"{AMDOCS}.wire.exchange_timeout",
        {f"{AMDOCS}.wire.exchange_timeout": "3s"},
        {f"{AMDOCS}.wire.exchange_timeout": "1.9s"},
    ),
    (
        f"{AMDOCS}.wire.exchange_timeout",
        {f"{AMDOCS}.wire.exchange_timeout": 1},
        {f"{AMDOCS}.wire.exchange_timeout": "1s"},
    ),
    (
        f"{AMDOCS}.wire.response_body",
        {f"{AMDOCS}.wire.response_body": "8MB"},
        {f"{AMDOCS}.wire.response_body": "8MiB"},
    ),
    (
        f"{AMDOCS}.wire.concurrency",
        {f"{AMDOCS}.wire.concurrency": 0},
        {f"{AMDOCS}.wire.concurrency": 1},
    ),
    (
        f"{AMDOCS}.wire.egress_proxy",
        {f"{AMDOCS}.wire.egress_proxy": "proxy.example.com:3128"},
        {f"{AMDOCS}.wire.egress_proxy": "http://proxy.example.com:3128"},
    ),
    (
        f"{AMDOCS}.wire.egress_proxy",
        {f"{AMDOCS}.wire.egress_proxy": "https://proxy.example.com:3128"},
        {f"{AMDOCS}.wire.egress_proxy": "http://proxy.example.com:3128"},
    ),
    (
        f"{GUARD}.retry.longest_backoff",
        {f"{GUARD}.retry": {"first_backoff": "100ms", "longest_backoff": "50ms"}},
        {f"{GUARD}.retry": {"first_backoff": "50ms", "longest_backoff": "50ms"}},
    ),
    (
        f"{GUARD}.retry.first_backoff",
        {f"{GUARD}.retry.first_backoff": "300ms"},
        {f"{GUARD}.retry.first_backoff": "250ms"},
    ),
    (
        f"{GUARD}.retry.budget_share",
        {f"{GUARD}.retry.budget_share": "20%"},
        {f"{GUARD}.retry.budget_share": 0.2},
    ),
    (
        f"{GUARD}.breaker.longest_open_time",
        {f"{GUARD}.breaker": {"open_time": "10s", "longest_open_time": "5s"}},
        {f"{GUARD}.breaker": {"open_time": "5s", "longest_open_time": "5s"}},
    ),
    (
        f"{GUARD}.breaker.open_time",
        {f"{GUARD}.breaker.open_time": "1m"},
        {f"{GUARD}.breaker": {"open_time": "1m", "longest_open_time": "5m"}},
    ),
    (
        f"{GUARD}.breaker.failure_rate",
        {f"{GUARD}.breaker.failure_rate": 0},
        {f"{GUARD}.breaker.failure_rate": 0.01},
    ),
    (
        f"{GUARD}.breaker.slow_call_rate",
        {f"{GUARD}.breaker.slow_call_rate": 80},
        {f"{GUARD}.breaker.slow_call_rate": 0.8},
    ),
    (
        f"{GUARD}.breaker.open_time",
        {f"{GUARD}.breaker.open_time": 2},
        {f"{GUARD}.breaker.open_time": "2s"},
    ),
    (
        f"{GUARD}.adaptive_concurrency.floor",
        {
            f"{GUARD}.adaptive_concurrency.floor": 4,
            f"{AMDOCS}.wire.concurrency": 2,
        },
        {f"{AMDOCS}.wire.concurrency": 2},
    ),
    (
        f"{AMDOCS}.identity.file",
        {f"{AMDOCS}.identity": {"kind": "file"}},
        {f"{AMDOCS}.identity": {"kind": "file", "file": "/run/map.csv"}},
    ),
    (
        f"{CSG}.identity.dsn_file",
        {f"{CSG}.identity": {"kind": "pedkai_db"}},
        {f"{CSG}.identity": {"kind": "pedkai_db", "dsn": "${DSN}"}},
    ),
    (
        f"{CSG}.identity.dsn",
        {f"{CSG}.identity.dsn": "${DSN}"},
        {f"{CSG}.identity": {"kind": "pedkai_db", "dsn": "${DSN}"}},
    ),
    (f"{LOCAL}.database", {f"{LOCAL}.database": GONE}, {f"{LOCAL}.database.pool": 2}),
    (
        f"{LOCAL}.database.dsn_file",
        {f"{LOCAL}.database": {"pool": 2}},
        {f"{LOCAL}.database": {"dsn": "${DSN}"}},
    ),
    (
        f"{LOCAL}.database.dsn",
        {f"{LOCAL}.database": {"dsn": "postgresql://db/pedkai"}},
        {f"{LOCAL}.database": {"dsn": "postgresql+asyncpg://db/pedkai"}},
    ),
    (
        f"{LOCAL}.database.currency",
        {f"{LOCAL}.database.currency": "pounds"},
        {f"{LOCAL}.database.currency": "EUR"},
    ),
    (
        "tenants.north.connection",
        {"tenants.north.connection": "amdox"},
        {"tenants.north.connection": "mock"},
    ),
    (
        "tenants.north.reporting_currency",
        {"tenants.north.reporting_currency": "gbp"},
        {"tenants.north.reporting_currency": "USD"},
    ),
    ("tenants.no", {"tenants.no": {"connection": "mock"}}, {"tenants.nor": {"connection": "mock"}}),
    (
        "connections.Mock",
        {"connections.Mock": {"vendor": "mock"}},
        {"connections.mock-2": {"vendor": "mock"}},
    ),
    ("default_tenant", {"default_tenant": "nort"}, {"default_tenant": "south"}),
    (
        "listeners.data.host",
        {"listeners.data.host": "0.0.0.0"},
        {
            "listeners.data.host": "0.0.0.0",
            "listeners.data.tls": TLS,
            "auth.token_file": "/run/token",
        },
    ),
    (
        "listeners.data.host",
        {
            "listeners.data.host": "::",
            "listeners.data.tls": TLS,
        },
        {"listeners.data.host": "::1"},
    ),
    (
        "listeners.data.unix_socket",
        {"listeners.data": {"unix_socket": "/run/" + "a" * 120}},
        {"listeners.data": {"unix_socket": "/run/data.sock"}},
    ),
    ("listeners.admin.host", {"listeners.admin.host": "::"}, {"listeners.admin.host": "::1"}),
    (
        "listeners.ops.host",
        {"listeners.ops.host": "not a host"},
        {"listeners.ops.host": "0.0.0.0"},
    ),
    ("listeners.ops.port", {"listeners.ops.port": 8650}, {"listeners.ops.port": 8653}),
    (
        "listeners.ops.port",
        {"listeners.ops": {"host": "0.0.0.0", "port": 8650}},
        {"listeners.ops": {"host": "::", "port": 8650}},
    ),
    (
        "listeners.admin.port",
        {"listeners.admin": {"host": "localhost", "port": 8651}},
        {"listeners.admin.port": 0, "listeners.ops.port": 0, "listeners.data.port": 0},
    ),
    ("listeners.data.port", {"listeners.data.port": 70_000}, {"listeners.data.port": 65_535}),
    ("deadlines.single", {"deadlines.single": "2s"}, {"deadlines.single": "1.9s"}),
    ("deadlines.batch", {"deadlines.batch": "61s"}, {"deadlines.batch": "1m"}),
    ("deadlines.batch", {"deadlines.batch": "-1s"}, {"deadlines.batch": "1s"}),
    ("shutdown.grace", {"shutdown.grace": "1h"}, {"shutdown.grace": "30s"}),
    (
        "limits.request_body",
        {"limits.batch_ids": 10_000},
        {"limits.batch_ids": 10_000, "limits.request_body": "512KiB"},
    ),
    (
        "limits.customers_in_flight",
        {"limits.customers_in_flight": 199},
        {"limits.customers_in_flight": 199, "limits.batch_ids": 199},
    ),
    ("logging.level", {"logging.level": "loud"}, {"logging.level": "debug"}),
    (
        "audit.sink",
        {"audit.sink": "file"},
        {"audit.sink": "file", "audit.file": "/run/audit.jsonl"},
    ),
    (
        "audit.file",
        {"audit.sink": "file", "audit.file": "audit.jsonl"},
        {"audit.sink": "file", "audit.file": "/run/audit.jsonl"},
    ),
    ("audit.file_size", {"audit.file_size": "1KiB"}, {"audit.file_size": "64KiB"}),
    ("audit.former_files", {"audit.former_files": 101}, {"audit.former_files": 100}),
]
ENV = {"SECRET": "hunter2", "DSN": "postgresql+asyncpg://pedkai:hunter2@db/pedkai"}
