"""The files of the chart that are made from others, and how."""

import json
from pathlib import Path

from tests.helm.settings_schema import PREFIX, definitions

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "bss-sidecar"
SCHEMA = CHART / "values.schema.json"


def made_files() -> dict[Path, str]:
    """What each file should hold. Raises `OSError` where a source can't be read."""
    return {SCHEMA: _schema()}


def _schema() -> str:
    """The hand-written schema of the values, with the settings of the configuration in it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    own = {k: v for k, v in schema["definitions"].items() if not k.startswith(PREFIX)}
    schema["definitions"] = own | definitions()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
