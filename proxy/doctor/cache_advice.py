"""From what a Redis refused to its cause and its cure. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from proxy.cache.store import FailureKind
from proxy.doctor.findings import Advice

RIGHTS = "user NAME on >PASSWORD ~bss1:* +get +mget +set +del +info +hello +config|get"
"""Of an ACL user who may do no more than a sidecar does."""
_SUCH_A_USER = f"such a user suffices: {RIGHTS} (and +select for another database than 0, +cluster"
_SUCH_A_USER += " for a Cluster)"

_OF_STORE: Mapping[FailureKind, Advice] = {
    "refused": Advice(
        cause="no Redis answers at {place}",
        cure="check host, port or path, that it runs, and that this machine or pod may reach it; "
        "rediss:// where it speaks TLS, redis:// where it does not",
    ),
    "timeout": Advice(
        cause="Redis at {place} did not answer in time",
        cure="allow egress to it in firewalls and NetworkPolicies; then look at its load",
    ),
    "starting": Advice(
        cause="Redis at {place} is loading or failing over",
        cure="wait; then look at its log and at who is master",
    ),
    "tls": Advice(
        cause="there is no TLS with Redis at {place}",
        cure="check trust_bundle_file and server_name against Redis's certificate, and our own "
        "certificate against what it trusts; rediss:// only where it speaks TLS",
    ),
    "auth": Advice(
        cause="Redis at {place} refuses the login, or forbids it to read",
        cure=f"compare username and password with what Redis has; {_SUCH_A_USER}",
    ),
    "protocol": Advice(
        cause="what answers at {place} makes no sense as a Redis",
        cure="check the port, and whether it is a Cluster (cluster: true) or a Sentinel "
        "(sentinels)",
    ),
}
_OF_WRITING: Mapping[FailureKind, Advice] = {
    "readonly": Advice(
        cause="Redis takes no writes: it is a replica, or its disk fails",
        cure="name the master, or the Sentinels, who know it; else look at Redis's log",
    ),
    "full": Advice(
        cause="Redis is full",
        cure="give it more maxmemory, or let it make room: maxmemory-policy volatile-ttl",
    ),
    "auth": Advice(
        cause="Redis forbids this user to write",
        cure=_SUCH_A_USER,
    ),
}


def of_store(kind: FailureKind, place: str) -> Advice:
    advice = _OF_STORE.get(kind, _OF_STORE["protocol"])
    return replace(advice, cause=advice.cause.format(place=place))


def of_writing(kind: FailureKind) -> Advice:
    other = Advice(
        cause=f"Redis answers, and does not take an entry ({kind})", cure="look at its log"
    )
    return _OF_WRITING.get(kind, other)


def of_setting(words: str) -> Advice:
    return Advice(cause=words, cure="see config/sidecar.example.yaml for what names a Redis")


def of_persistence(warning: str) -> Advice:
    return Advice(
        cause=warning,
        cure='switch it off (save "", appendonly no), or see to it that backups of that disk are '
        "kept no longer than the keys are",
    )
