"""However a sidecar comes into a pod, it is the same one."""

from typing import Any

import pytest

from tests.helm.cel import evaluate
from tests.helm.charts import manifests, render, render_parent, the
from tests.helm.injected import by_kustomize, by_policy, by_template
from tests.helm.making import KUSTOMIZE
from tests.helm.matrix import MATRIX


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())
def test_the_policy_injects_what_a_parent_chart_takes(values: dict[str, Any]) -> None:
    policy, template = (
        by_policy(manifests(render(values))),
        by_template(manifests(render_parent(values))),
    )
    assert policy == template


def test_the_kustomize_component_puts_in_what_a_parent_chart_takes() -> None:
    kustomized = by_kustomize(KUSTOMIZE)
    assert kustomized == by_template(manifests(render_parent()))
    assert kustomized == by_policy(manifests(render()))


@pytest.mark.parametrize("authentication", ["token", "socket", "none"])
def test_what_a_pod_chooses_by_an_annotation_is_what_the_value_would_have_given(
    authentication: str,
) -> None:
    resources = {"memory": "1Gi", "cpuRequest": "120m"}
    asked = {"authentication": authentication, "logLevel": "debug", "resources": resources}
    wanted = by_template(manifests(render_parent(asked)))
    policy = the("MutatingAdmissionPolicy", manifests(render()))
    expressions = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    choices = {
        "image": "bss-sidecar:0.1.0",
        "authentication": authentication,
        "logLevel": "debug",
        **resources,
        "podHasBudget": False,
    }
    assert evaluate(expressions["container"], choices) == wanted.container
    assert evaluate(expressions["env"], choices) == wanted.env
    assert evaluate(expressions["volumeMounts"], choices) == wanted.volume_mounts


def test_a_pod_with_resources_of_its_own_shares_them_with_the_sidecar() -> None:
    policy = the("MutatingAdmissionPolicy", manifests(render()))
    expressions = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    assert expressions["podHasBudget"] == "has(object.spec.resources)"
    choices = dict.fromkeys(("image", "authentication", "logLevel", "memory", "cpuRequest"), "")
    for has_budget in (True, False):
        container = evaluate(expressions["container"], {**choices, "podHasBudget": has_budget})
        assert bool(container["resources"]) is not has_budget


def test_the_label_of_the_version_changes_with_what_is_injected_and_with_nothing_else() -> None:
    def version(values: dict[str, Any]) -> str:
        template = the("Deployment", manifests(render_parent(values)))["spec"]["template"]
        label: str = template["metadata"]["labels"]["bss-sidecar.pedkai.io/version"]
        return label

    plain = version({})
    mock = {"connections": {"mock": {"vendor": "mock"}}}
    assert version({"configuration": mock, "labels": {"a": "b"}}) == plain
    changes: list[dict[str, Any]] = [
        {"image": {"tag": "9.9.9"}},
        {"resources": {"memory": "1Gi"}},
        {"credentials": {"a": {"existingSecret": "a"}}},
        {"authentication": "none"},
    ]
    assert len({plain, *map(version, changes)}) == len(changes) + 1
    assert f'"{plain}"' in render()
