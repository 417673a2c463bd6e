"""What is written inside the file in place of a mounted one: secrets, and `${NAME}`.

A secret that stands in the file is refused, wherever it stands. `${NAME}` as a whole value takes
an environment variable, the one way for a secret to come without a file of its own.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from config.draft import Draft
from config.problems import Place
from config.shape import field_at, fields_at, holds_secret

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TELLING = (  # the last word of what a secret goes by
    r"(pass(word|wd|phrase)?|pwd|secrets?|tokens?|api_?key|private_?key|signing_?key"
    r"|access_?key|authorization|cookies?|credentials?)"
)
_SECRET_KEY = re.compile(_TELLING + r"$", re.IGNORECASE)
_SECRET_HEADER = re.compile(_TELLING + r"$|(^|-)(key|session(-?id)?|signature)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|^(bearer|basic)\s+\S|^eyJ[\w-]+\.", re.IGNORECASE
)
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_REFUSED = "a secret is written into the file"
_BOTH_OR_NONE = "the whole value as ${NAME}, letters, digits and underscores"


def refuse_secrets(draft: Draft) -> None:
    """Take out every secret that is written into the file, and say so."""
    for place, value in draft.leaves():
        is_named = isinstance(value, str) and _VARIABLE.fullmatch(value)
        if value is not None and not is_named and draft.knows(place) and _is_secret(place, value):
            draft.refuse(place, _REFUSED, _way_out(place))


def take_environment(draft: Draft, env: Mapping[str, str]) -> None:
    """Put environment variables in the place of `${NAME}`."""
    for place, value in draft.leaves():
        if not isinstance(value, str) or not draft.knows(place):
            continue
        match = _VARIABLE.fullmatch(value)
        if match:
            _take_variable(draft, place, match[1], env)
        elif "${" in value:
            draft.refuse(place, "mixes text with an environment variable", _BOTH_OR_NONE)
        elif _CONTROL.search(value):
            draft.refuse(place, "holds a line break or another control character", "one line")


def _take_variable(draft: Draft, place: Place, name: str, env: Mapping[str, str]) -> None:
    value = env.get(name, "").rstrip("\r\n")  # what `echo` leaves behind is never meant
    if not value:
        lacks = "is empty" if name in env else "is not set"
        draft.refuse(place, f"the environment variable {name} {lacks}", _set_it(place, name))
    elif _CONTROL.search(value):
        draft.refuse(
            place, f"the environment variable {name} holds a control character", "one line of text"
        )
    else:
        draft.put(place, value)
        if _is_secret(place, value):
            draft.warn(place, f"comes from ${{{name}}} and does not rotate", _rotating(place))


def _set_it(place: Place, name: str) -> str:
    in_file = _file_sibling(place)
    return f"a value for {name}" + (f", or {in_file} with the path of a file" if in_file else "")


def _rotating(place: Place) -> str:
    in_file = _file_sibling(place)
    return f"{in_file}, which does" if in_file else "a restart after each change"


def _file_sibling(place: Place) -> str | None:
    """The setting beside a secret that names a file with it."""
    name = f"{_key(place)}_file"
    return name if name in fields_at(place[:-1]) else None


def _way_out(place: Place) -> str:
    in_file = _file_sibling(place)
    if in_file:
        inline = f", or {_key(place)}: ${{NAME}}" if field_at(place) else ""
        return f"{in_file} with the path of a mounted file{inline}"
    if _in_headers(place):
        return "oauth2 or tls to prove who asks, or a gateway's key as ${NAME}"
    if _key(place) == "egress_proxy":
        return "the URL without user and password, or all of it as ${NAME}"
    if field_at(place) and _key(place) == "url":
        return "the URL without a login; username and password_file beside it"
    if field_at(place) and _key(place).endswith("file"):
        return "the path of the file that holds it"
    return "nothing secret: mounted files and ${NAME} carry what is"


def _is_secret(place: Place, value: object) -> bool:
    field = field_at(place)
    if holds_secret(field):
        return not (_key(place) == "dsn" and isinstance(value, str) and _is_open_dsn(value))
    if field is None and _is_secret_name(place):
        return not isinstance(value, bool)  # such as whether there is one
    return isinstance(value, str) and (
        bool(_SECRET_TEXT.search(value)) or bool(_URL.match(value) and not _is_open_url(value))
    )


def _is_secret_name(place: Place) -> bool:
    if _in_headers(place):
        return bool(_SECRET_HEADER.search(_key(place)))
    return bool(_SECRET_KEY.search(_key(place).replace("-", "_")))


def _is_open_dsn(text: str) -> bool:
    """A database URL that certainly holds no password, such as that of a SQLite file."""
    return bool(_URL.match(text)) and _is_open_url(text, user_is_open=True)


def _is_open_url(url: str, *, user_is_open: bool = False) -> bool:
    try:
        parts = urlsplit(url)
        secret_names = [name for name, _ in parse_qsl(parts.query) if _SECRET_KEY.search(name)]
    except ValueError:
        return "@" not in url and "?" not in url
    user, at, _ = parts.netloc.rpartition("@")
    named = user_is_open and ":" not in user
    return not secret_names and (not at or named)


def _in_headers(place: Place) -> bool:
    return len(place) > 1 and place[-2] == "headers"


def _key(place: Place) -> str:
    """The last key on the way to a place, past the indexes of lists."""
    return next((step for step in reversed(place) if isinstance(step, str)), "")
