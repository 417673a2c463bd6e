"""A good configuration, ways to spoil it, and what is said about the result."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.load import Loaded, load
from config.problems import ConfigurationProblems, Problem

VENDORS = {
    "amdocs": "http",
    "cerillion": "http",
    "csg": "http",
    "local": "database",
    "mock": "none",
}
GONE = object()

_GOOD: dict[str, Any] = {
    "schema_version": 1,
    "connections": {
        "amdocs": {
            "vendor": "amdocs",
            "base_url": "https://amdocs.example.com/",
            "tls": {"certificate_file": "/run/tls.crt", "key_file": "/run/tls.key"},
            "oauth2": {
                "token_url": "https://amdocs.example.com/token",
                "client_id": "sidecar",
                "client_secret_file": "/run/secret",
            },
            "headers": {"X-Channel": "pedkai"},
            "wire": {"concurrency": 8},
            "identity": {"kind": "identity"},
            "tmf": {"version": "v4"},
        },
        "csg": {
            "vendor": "csg",
            "base_url": "http://127.0.0.1:9443/tmf-api/",
            "insecure": True,
            "identity": {"kind": "pedkai_db", "dsn_file": "/run/dsn"},
        },
        "local": {"vendor": "local", "database": {"dsn_file": "/run/dsn"}},
        "mock": {"vendor": "mock"},
    },
    "tenants": {
        "north": {"connection": "amdocs", "reporting_currency": "GBP"},
        "south": {"connection": "csg"},
        "east": {"connection": "local"},
        "west": {"connection": "mock"},
    },
    "default_tenant": "north",
    "listeners": {"data": {"port": 8650}, "ops": {"port": 8651}, "admin": {"port": 8652}},
    "auth": {},
    "deadlines": {"single": "450ms", "batch": "1.9s"},
    "limits": {"batch_ids": 200, "request_body": "64KiB"},
    "shutdown": {"grace": "5s"},
    "logging": {"level": "info"},
}


def good() -> dict[str, Any]:
    return copy.deepcopy(_GOOD)


def changed(changes: Mapping[str, object], document: dict[str, Any] | None = None) -> Any:
    """The good document with other values at dotted paths; groups on the way are made."""
    document = good() if document is None else document
    for path, value in changes.items():
        *way, last = path.split(".")
        group = document = copy.deepcopy(document)
        for step in way:
            group = group.setdefault(step, {})
        if value is GONE:
            group.pop(last, None)
        else:
            group[last] = value
    return document


def load_text(
    text: str | bytes, env: Mapping[str, str] | None = None, *, lenient: bool = False
) -> Loaded:
    return load(
        Path("sidecar.yaml"),
        env=env or {},
        read=lambda _: text,
        vendors=VENDORS,
        lenient=lenient,
    )


def load_document(
    document: Any, env: Mapping[str, str] | None = None, *, lenient: bool = False
) -> Loaded:
    """JSON is YAML."""
    return load_text(json.dumps(document, ensure_ascii=False), env, lenient=lenient)


def problems_of(
    document: Any, env: Mapping[str, str] | None = None, *, lenient: bool = False
) -> list[Problem]:
    """All problems of a document, or of a text."""
    try:
        if isinstance(document, str | bytes):
            load_text(document, env, lenient=lenient)
        else:
            load_document(document, env, lenient=lenient)
    except ConfigurationProblems as found:
        return found.problems
    return []


def paths_of(document: Any, env: Mapping[str, str] | None = None) -> list[str]:
    return [problem.path for problem in problems_of(document, env)]
