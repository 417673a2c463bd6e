"""Odd values arrive where they belong, as they are: long names, quotes, braces, two of one name."""

from typing import Any

import pytest
import yaml

from tests.helm.charts import Manifest, manifests, render, render_parent, the
from tests.helm.injected import by_policy, by_template
from tests.helm.matrix import ALL_PARTS

LABEL = 63
ODD = [
    "{{ .Values.image }}",
    'a "quoted" word',
    "it's",
    "back\\slash",
    "- # : | > & * ! %",
    "${NAME} $(POD_IP) $1",
    "two\nlines\n",
    "\ttab",
    "caf\u00e9 \u2028",
    "~",
    "null",
    "0x10",
    "1e3",
]
"""Texts that YAML, templates or CEL would read as something else."""


@pytest.mark.parametrize("text", ODD)
def test_a_text_in_the_configuration_is_that_text(text: str) -> None:
    connection = {"vendor": "mock", "oauth2": {"client_id": text, "token_url": "https://a/"}}
    made = manifests(render({"configuration": {"connections": {"billing": connection}}}))
    read = yaml.safe_load(the("ConfigMap", made)["data"]["sidecar.yaml"])
    assert read["connections"]["billing"] == connection


@pytest.mark.parametrize("text", [one for one in ODD if one.isprintable()])
def test_a_text_in_a_variable_is_that_text_in_every_way_of_injection(text: str) -> None:
    values: dict[str, Any] = {"extraEnv": [{"name": "ODD", "value": text}]}
    wanted = {"name": "ODD", "value": text}
    assert wanted in by_policy(manifests(render(values))).container["env"]
    assert wanted in by_template(manifests(render_parent(values))).container["env"]


def test_odd_annotations_are_what_they_are_on_every_object() -> None:
    odd = {f"example.com/odd-{n}": text for n, text in enumerate(ODD)}
    for one in manifests(render({**ALL_PARTS, "annotations": odd})):
        assert one["metadata"]["annotations"].items() >= odd.items()


def names(found: list[Manifest]) -> set[tuple[str, str | None, str]]:
    return {
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in found
    }


NAMED_AS_LABELS = {"Deployment", "Service", "ConfigMap", "Job", "NetworkPolicy"}
"""For some Kubernetes demands it, and others name pods by it."""
LONGEST = "a" * 30
CREDENTIALS = {LONGEST: {"existingSecret": "s" * 253}}


@pytest.mark.parametrize(
    "release", ["r" * 53, "a.dotted.release", f"{'x' * 41}-bss-sidecar", "b" * 37 + "." + "c" * 10]
)
def test_the_longest_names_are_still_names(release: str) -> None:
    namespaces = ["n" * 63, "m" * 63]
    certificates = {LONGEST: ALL_PARTS["certificates"]["amdocs"]}
    values = {
        **{key: value for key, value in ALL_PARTS.items() if key != "externalSecrets"},
        "inject": {"namespaces": namespaces},
        "configuration": {},
        "credentials": CREDENTIALS,
        "trust": CREDENTIALS,
        "certificates": certificates,
    }
    found = manifests(render(values, release=f"{'z' * 63}/{release}"))
    for kind, _, name in names(found):
        assert len(name) <= (LABEL if kind in NAMED_AS_LABELS else 253), kind
        assert kind != "Service" or "." not in name
    for volume in by_policy(found).volumes:
        assert len(volume["name"]) <= LABEL
    for one in found:
        assert all(len(text) <= LABEL for text in one["metadata"]["labels"].values())


def test_two_releases_share_no_name_but_where_helm_itself_refuses_the_second() -> None:
    """Of one name in two namespaces; of two names in one."""
    elsewhere = {**ALL_PARTS, "inject": {"namespaces": ["pedkai-fr"]}, "dashboard": {}}
    one = names(manifests(render(ALL_PARTS)))
    assert not one & names(manifests(render(elsewhere, release="other/bss-sidecar")))
    two = names(manifests(render(ALL_PARTS, release="pedkai/second")))
    assert {kind for kind, _, _ in one & two} == {"ExternalSecret"}


def test_labels_of_the_values_stand_beside_those_by_which_an_object_is_found() -> None:
    labels = {"app.kubernetes.io/part-of": "oss", "app.kubernetes.io/name": "x", "team": "a"}
    values = {
        **ALL_PARTS,
        "labels": labels,
        "podMonitor": {"enabled": True, "labels": {"team": "b"}},
    }
    for one in manifests(render(values)):
        found = one["metadata"]["labels"]
        assert found["app.kubernetes.io/name"] == "bss-sidecar"
        assert found["app.kubernetes.io/part-of"] == "oss"
        assert found["team"] == ("b" if one["kind"] == "PodMonitor" else "a")
