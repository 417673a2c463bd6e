"""The files of the chart that are made from others; `python -P -m tests.helm` writes them."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.helm.charts import CHART, ROOT, Manifest, manifests, render, render_parent, the
from tests.helm.matrix import ALL_PARTS, FULL
from tests.helm.settings_schema import PREFIX, definitions
from tests.helm.values_table import sections, tables

SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"
NEEDED = CHART / "templates" / "_needed.tpl"
KUSTOMIZE = ROOT / "helm" / "kustomize" / "deployment.yaml"
GOLDEN = Path(__file__).parent / "golden"

_BEGIN, _END = "<!-- made from values.yaml -->", "<!-- until here -->"
_MAY_BE_NULL = ("65532",)
_NEEDED_HEAD = "{{/* Made from values.yaml by `python -P -m tests.helm`. */}}\n"
_PATCH_HEAD = """\
# Made from the chart by `python -P -m tests.helm`; not to be edited. What the chart's values change
# there (credentials, memory, authentication), a patch of your own changes here.
"""


def made_files() -> dict[Path, str]:
    """What each file should hold. Raises `OSError` where a source can't be read."""
    own = {SCHEMA: _schema(), README: _readme(), NEEDED: _needed(), KUSTOMIZE: _patch()}
    return own | goldens()


def goldens() -> dict[Path, str]:
    """What is reviewed by eye whenever it changes."""
    made = {
        "nothing-is-set.yaml": render(),
        "everything-of-a-connection.yaml": render(FULL),
        "parent-chart.yaml": render_parent(FULL),
        "all-parts.yaml": _without_files(render(ALL_PARTS)),
    }
    return {GOLDEN / name: text for name, text in made.items()}


def _without_files(text: str) -> str:
    """Alert rules and dashboard are reviewed where they are."""
    for name, indent in (("alerts.yaml", 2), ("dashboard.json", 4)):
        content = (CHART / "files" / name).read_text(encoding="utf-8").rstrip("\n")
        lines = "\n".join(" " * indent + line for line in content.split("\n"))
        text = text.replace(lines, f"{' ' * indent}# files/{name}")
    return text


def _schema() -> str:
    """The hand-written schema of the values, with the settings of the configuration in it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    own = {k: v for k, v in schema["definitions"].items() if not k.startswith(PREFIX)}
    schema["definitions"] = own | definitions()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _readme() -> str:
    before, _, rest = README.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    return f"{before}{_BEGIN}\n{tables(values)}\n\n{_END}{after}"


def needed() -> list[str]:
    """Without these values nothing is rendered: each that is more than empty, and each group."""
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    rows = [row for section in sections(values) for row in section.rows]
    said = [row.path for row in rows if row.default not in ("", '""', "[]", *_MAY_BE_NULL)]
    groups = [row.path for row in rows if not row.default]
    return said + [one for one in groups if not any(f"{one}." in path for path in said)]


def _needed() -> str:
    names = "\n".join(needed())
    return f'{_NEEDED_HEAD}{{{{- define "bss-sidecar.needed" -}}}}\n{names}\n{{{{- end -}}}}\n'


def _patch() -> str:
    """Our part of the parent chart's Deployment, as a strategic merge patch."""
    deployment = the("Deployment", manifests(render_parent()))
    return _PATCH_HEAD + yaml.safe_dump(_ours(deployment), sort_keys=False)


def _ours(deployment: Manifest) -> dict[str, Any]:
    template = deployment["spec"]["template"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k != "app"}
    (backend,) = template["spec"]["containers"]
    told = {key: backend[key] for key in ("name", "env", "volumeMounts")}
    spec = {**template["spec"], "containers": [told]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "any"},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": spec}},
    }
