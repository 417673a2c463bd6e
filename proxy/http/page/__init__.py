"""The status page: one document that needs nothing else, and may load nothing else.

It is made of the files beside this one, once, when the routes are. It holds no figures: its script
asks `/v1/status` for them. What it may run is named by hash, so that nothing that finds its way
into it, from wherever, is ever run.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

STYLES: Final = ("page.css", "connections.css")
SCRIPTS: Final = (
    "elements.js",
    "words.js",
    "charts.js",
    "history.js",
    "force.js",
    "details.js",
    "connections.js",
    "overview.js",
    "page.js",
)
"""In the order of their use; together they are one module."""


@dataclass(frozen=True, slots=True)
class Page:
    text: str = field(repr=False)
    policy: str
    """`Content-Security-Policy`: it runs and shows what it is made of, and asks its own origin."""


def load(extension: str = "") -> Page:
    """The page; `extension` is a script that runs after its own."""
    style = "\n".join(map(_read, STYLES))
    script = "\n".join((*map(_read, SCRIPTS), extension))
    text = _read("page.html").replace("/* style */", style).replace("/* script */", script)
    return Page(text, _policy(style, script))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
