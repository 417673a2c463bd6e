"""The files of the chart that are made from others; `python -P -m tests.helm` writes them."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.helm.charts import CHART, ROOT, Manifest, manifests, render, render_parent, the
from tests.helm.matrix import FULL
from tests.helm.settings_schema import PREFIX, definitions
from tests.helm.values_table import tables

SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"
KUSTOMIZE = ROOT / "helm" / "kustomize" / "deployment.yaml"
GOLDEN = Path(__file__).parent / "golden"

_BEGIN, _END = "<!-- made from values.yaml -->", "<!-- until here -->"
_PATCH_HEAD = """\
# Made from the chart by `python -P -m tests.helm`; not to be edited. What the chart's values change
# there (credentials, memory, authentication), a patch of your own changes here.
"""


def made_files() -> dict[Path, str]:
    """What each file should hold. Raises `OSError` where a source can't be read."""
    return {SCHEMA: _schema(), README: _readme(), KUSTOMIZE: _patch(), **goldens()}


def goldens() -> dict[Path, str]:
    """What is reviewed by eye whenever it changes."""
    made = {
        "nothing-is-set.yaml": render(),
        "everything-of-a-connection.yaml": render(FULL),
        "parent-chart.yaml": render_parent(FULL),
    }
    return {GOLDEN / name: text for name, text in made.items()}


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
