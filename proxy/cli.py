"""The commands of `bss-sidecar`. Each imports what it needs: `--help` needs no web server."""

import argparse
import io
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from proxy.command_line import FILE_VARIABLE, parser

EXIT_BROKEN_PIPE = 141
EXIT_REFUSED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a `…` on a terminal that is not UTF-8
    asked = parser().parse_args(arguments)
    try:
        return _COMMANDS[asked.command](asked)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # of `bss-sidecar … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _serve(asked: argparse.Namespace) -> int:
    from proxy.loading import loading  # noqa: PLC0415  (as said above)

    with loading():
        from proxy.serving import Serving  # noqa: PLC0415  (as said above)

    env = _environment()
    return Serving(
        path=_file(asked, env),
        fail_open=asked.fail_open,
        overrides=dict(asked.set),
        env=env,
        out=sys.stdout,
        err=sys.stderr,
    ).run()


def _doctor(asked: argparse.Namespace) -> int:
    from adapters.lookup import wall_clock  # noqa: PLC0415  (as said above)
    from proxy.doctor.run import NOT_NAMED, Visit, run_doctor  # noqa: PLC0415  (as said above)

    path = _file(asked, _environment())
    if path is None:
        print(NOT_NAMED, file=sys.stderr)  # noqa: T201  (the answer of a command)
        return 64
    visit = Visit(path=path, connection=asked.connection, json=asked.json)
    return run_doctor(visit, clock=wall_clock, out=sys.stdout)


def _environment() -> Mapping[str, str]:
    from config.load import environment  # noqa: PLC0415  (as said above)

    return environment()


def _file(asked: argparse.Namespace, env: Mapping[str, str]) -> Path | None:
    """As named on the command line, or else in the environment."""
    named = env.get(FILE_VARIABLE)
    return asked.file or (Path(named) if named else None)


def _breaker(asked: argparse.Namespace) -> int:
    from proxy.breaker_command import Wish, run_breaker  # noqa: PLC0415  (as said above)

    env = _environment()
    wish = Wish(
        connection=asked.connection,
        wanted=asked.wanted,
        breaker=asked.breaker,
        admin=asked.admin,
        file=_file(asked, env),
        json=asked.json,
    )
    return run_breaker(wish, env=env, out=sys.stdout, err=sys.stderr)


def _status(asked: argparse.Namespace) -> int:
    from proxy.status_command import Look, Terminal, run_status  # noqa: PLC0415  (as said above)

    env = _environment()
    look = Look(admin=asked.admin, file=_file(asked, env), json=asked.json, watch=asked.watch)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    terminal = Terminal(
        out=sys.stdout,
        err=sys.stderr,
        colours=width is not None and not env.get("NO_COLOR"),
        width=width,
        pause=time.sleep,
    )
    return run_status(look, env=env, terminal=terminal)


def _check(asked: argparse.Namespace) -> int:
    from proxy.check import run_check  # noqa: PLC0415  (as said above)
    from proxy.doctor.run import NOT_NAMED  # noqa: PLC0415  (as said above)

    path = _file(asked, _environment())
    if path is None:
        print(NOT_NAMED, file=sys.stderr)  # noqa: T201  (the answer of a command)
        return 64
    return run_check(path, json=asked.json, out=sys.stdout)


def _config(asked: argparse.Namespace) -> int:
    from proxy.check import run_reference, run_schema  # noqa: PLC0415  (as said above)

    return {"schema": run_schema, "reference": run_reference}[asked.what](sys.stdout)


def _openapi(asked: argparse.Namespace) -> int:
    from config.settings import Limits  # noqa: PLC0415  (as said above)
    from proxy.http.openapi import document, text  # noqa: PLC0415  (as said above)
    from proxy.http.reference import reference  # noqa: PLC0415  (as said above)

    ids = Limits().batch_ids
    told = reference(document(batch_ids=ids)) if asked.markdown else f"{text(batch_ids=ids)}\n"
    sys.stdout.write(told)
    return 0


def _completion(asked: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415  (as said above)

    print(shtab.complete(parser(), shell=asked.shell))  # noqa: T201  (the answer of a command)
    return 0


def _demo(asked: argparse.Namespace) -> int:
    from proxy.demo.run import run  # noqa: PLC0415  (as said above)

    return run(keep=asked.keep)


def _certs(asked: argparse.Namespace) -> int:
    return {"show": _show_certs, "make": _make_certs}[asked.way](asked)


def _show_certs(asked: argparse.Namespace) -> int:
    from adapters.lookup import wall_clock  # noqa: PLC0415  (as said above)
    from proxy.certs_command import run_certs  # noqa: PLC0415  (as said above)
    from proxy.doctor.run import NOT_NAMED  # noqa: PLC0415  (as said above)

    env = _environment()
    path = _file(asked, env)
    if path is None:
        print(NOT_NAMED, file=sys.stderr)  # noqa: T201  (the answer of a command)
        return 64
    return run_certs(path, json=asked.json, now=wall_clock(), env=env, out=sys.stdout)


def _make_certs(asked: argparse.Namespace) -> int:
    from adapters.lookup import wall_clock  # noqa: PLC0415  (as said above)
    from adapters.simulator.certificates import (  # noqa: PLC0415  (as said above)
        standing_in_the_way,
        write_demo_certificates,
    )

    folder: Path = asked.folder
    in_the_way = None if asked.force else standing_in_the_way(folder)
    if in_the_way is not None:
        print(f"bss-sidecar certs make: {in_the_way}", file=sys.stderr)  # noqa: T201  (the answer of a command)
        return EXIT_REFUSED
    folder.mkdir(parents=True, exist_ok=True)
    write_demo_certificates(folder, now=wall_clock())
    print(f"an authority, a server's and a client's certificate and key are in {folder}")  # noqa: T201  (the answer of a command)
    return 0


def _new_key(_asked: argparse.Namespace) -> int:
    from proxy.cache.keys import new_key  # noqa: PLC0415  (as said above)

    print(new_key())  # noqa: T201  (the answer of a command)
    return 0


_COMMANDS = {
    "serve": _serve,
    "check": _check,
    "doctor": _doctor,
    "breaker": _breaker,
    "status": _status,
    "config": _config,
    "demo": _demo,
    "new-key": _new_key,
    "certs": _certs,
    "openapi": _openapi,
    "completion": _completion,
}
