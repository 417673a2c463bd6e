"""As much of CEL as the policy's values are written in: literals, `dyn`, variables, a choice.

Whether an API server takes the policy is for the cluster tests; this tells what a pod gets.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|variables\.\w+|==|[\w.]+|[\[\]{}(),:?+])')


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """Raises `ValueError` where it is more than this reads."""
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda m: m[1] or "", expression):
        raise ValueError("not of these words")
    reader = _Reader(tokens, variables)
    value = reader.choice()
    if reader.tokens:
        raise ValueError(f"left over: {reader.tokens[:3]}")
    return value


class _Reader:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self.tokens = tokens
        self._variables = variables

    def choice(self) -> Any:
        value = self._equality()
        if not self._skip("?"):
            return value
        first = self.choice()
        self._expect(":")
        second = self.choice()
        return first if value else second

    def _equality(self) -> Any:
        value = self._sum()
        return value == self._sum() if self._skip("==") else value

    def _sum(self) -> Any:
        value = self._one()
        while self._skip("+"):
            value += self._one()
        return value

    def _one(self) -> Any:
        token = self.tokens.pop(0)
        if token == "dyn":
            self._expect("(")
            value = self.choice()
            self._expect(")")
            return value
        if token == "[":
            return self._list()
        if token == "{":
            return dict(self._pairs())
        if token.startswith("variables."):
            return self._variables[token.removeprefix("variables.")]
        return json.loads(token)

    def _list(self) -> list[Any]:
        found = []
        while not self._skip("]"):
            found.append(self.choice())
            self._skip(",")
        return found

    def _pairs(self) -> list[tuple[str, Any]]:
        found = []
        while not self._skip("}"):
            key = json.loads(self.tokens.pop(0))
            self._expect(":")
            found.append((key, self.choice()))
            self._skip(",")
        return found

    def _skip(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise ValueError(f"{token} is missing before {self.tokens[:3]}")
