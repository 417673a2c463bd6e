"""What stands below a setting in the code: its description, for a schema and for a problem.

Read from the source when somebody asks. To read it while the settings are loaded, as pydantic
would, costs every start 60 ms and a parser's worth of memory.
"""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache

from config.group import Group


def description(group: type[Group], setting: str) -> str:
    """Of one setting of a group; empty where none is written."""
    return _written(group.__module__).get(group.__name__, {}).get(setting, "")


@cache
def _written(module: str) -> Mapping[str, Mapping[str, str]]:
    """Of each class of a module, the text below each of its fields."""
    parsed = ast.parse(inspect.getsource(sys.modules[module]))
    return {one.name: _below_fields(one) for one in parsed.body if isinstance(one, ast.ClassDef)}


def _below_fields(group: ast.ClassDef) -> Mapping[str, str]:
    found = {}
    for field, text in zip(group.body, group.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(written))),
            ):
                found[name] = inspect.cleandoc(written)
            case _:
                pass
    return found
