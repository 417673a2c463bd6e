"""helm/README.md: its commands are true of the chart."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import pytest
import yaml

from proxy.cli import parser
from tests.helm.charts import CHART, ROOT, manifests, render

README = (ROOT / "helm" / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OURS = re.compile(r"bss-sidecar\.pedkai\.io(?:/|~1)([a-z-]+)")
CHAPTERS = (
    "Install",
    "Add a vendor",
    "Add a tenant",
    "Add a namespace",
    "Rotate a certificate",
    "Rotate the CA",
    "Rotate the cache keys",
    "Upgrade",
    "Roll back",
    "Debug one pod",
    "See the status page",
    "Behind an egress proxy",
    "In a service mesh",
    "Uninstall without a trace",
)


def blocks(language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(README) if kind == language]


def commands() -> Iterator[list[str]]:
    """Each as words, without comments; a pipe ends one."""
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while "|" in words:
                yield words[: words.index("|")]
                words = words[words.index("|") + 1 :]
            if words:
                yield words


def merged(values: list[Mapping[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for one in values:
        for key, value in one.items():
            both = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged([whole[key], value]) if both else value
    return whole


EXAMPLES = [yaml.safe_load(block) for block in blocks("yaml")]
FULL = merged([one for one in EXAMPLES if "tenants" not in one.get("inject", {})])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_everything_that_an_operator_does_has_its_commands(chapter: str) -> None:
    _, _, after = README.partition(f"# {chapter}\n")
    assert "```" in after.partition("\n## ")[0] or "| Istio |" in after


@pytest.mark.parametrize("values", EXAMPLES, ids=",".join)
def test_the_chart_takes_the_values_that_are_shown(values: dict[str, Any]) -> None:
    """The schema refuses what the chart does not know."""
    mounted = ("configuration", "credentials", "identity", "trust")
    own = {k: v for k, v in FULL.items() if k in mounted}
    if "tenants" in values.get("inject", {}):
        billing = {"connection": "billing"}
        own["configuration"] = merged(
            [own["configuration"], {"tenants": {"operator_uk": billing, "operator_de": billing}}]
        )
    assert render(merged([own, FULL if "redis" in values else {}, values]))


def test_every_label_and_annotation_of_ours_is_one_that_the_chart_knows() -> None:
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    known = set(_OURS.findall(templates))
    known |= {"log-level"} if 'printf $annotation "log-level"' in templates else set()
    assert set(_OURS.findall(README)) <= known


def test_every_object_that_a_command_names_is_rendered_or_made_by_a_command() -> None:
    made = manifests(render(FULL))
    rendered = {(one["kind"].lower(), one["metadata"]["name"]) for one in made}
    created = {
        (words[2], words[4] if words[2] == "secret" else words[3])
        for words in commands()
        if words[:2] == ["kubectl", "create"]
    }
    named = {(words[2], words[3]) for words in commands() if words[:2] == ["kubectl", "delete"]}
    assert named
    # The tests' release is in another namespace, which is part of a cluster-wide name.
    here = {(kind, name.replace(".pedkai", ".bss-system")) for kind, name in rendered}
    assert named - created <= here
    assert {"bss-redis", "bss-redis-client", "bss-cache-keys"} <= {name for _, name in created}


def test_what_is_looked_for_after_an_uninstall_is_all_that_the_chart_makes() -> None:
    looked_for = {
        kind
        for words in commands()
        if words[:2] == ["kubectl", "get"] and "app.kubernetes.io/name=bss-sidecar" in words
        for kind in words[2].split(",")
    }
    for one in manifests(render(FULL)):
        kind = one["kind"].lower()
        plural = kind[:-1] + "ies" if kind.endswith("y") else f"{kind}s"
        assert plural in looked_for
        assert one["metadata"]["labels"]["app.kubernetes.io/name"] == "bss-sidecar"


def test_every_command_of_the_sidecar_is_one_that_it_has() -> None:
    asked = [words[words.index("--") + 1 :] for words in commands() if "--" in words]
    asked += [["bss-sidecar", words[4]] for words in commands() if words[:2] == ["docker", "run"]]
    assert len(asked) > 4
    for program, *arguments in asked:
        assert program == "bss-sidecar"
        parser().parse_args([*takewhile(lambda word: word != ">", arguments)])


def test_the_redis_of_the_chart_has_the_name_that_its_certificate_is_made_for() -> None:
    names = {one["metadata"]["name"] for one in manifests(render(FULL)) if one["kind"] == "Service"}
    assert names == {"bss-sidecar-redis"}
    assert "DNS:bss-sidecar-redis.bss-system.svc" in README
