"""The command line: what can be asked of `bss-sidecar`, and its exit statuses."""

import argparse
import io
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from adapters.lookup import wall_clock
from config.load import environment

FILE_VARIABLE = "BSS_SIDECAR_CONFIG"
EXIT_BROKEN_PIPE = 141

_DESCRIPTION = "Answers Pedkai's three billing questions next to every pod, whatever the BSS does."
_EPILOG = f"""\
examples:
  bss-sidecar demo                            see it work, with pretend vendors
  bss-sidecar check sidecar.yaml              every problem of a configuration, at once
  bss-sidecar serve sidecar.yaml              serve; refuse to start on a bad configuration
  bss-sidecar serve --fail-open sidecar.yaml  serve whatever happens, as injected into a pod
  bss-sidecar doctor sidecar.yaml             files, ways, tokens, answers: what is wrong, and why
  bss-sidecar status --watch                  what is broken, since when, and what to do
  bss-sidecar breaker                         what every breaker of the running sidecar does
  bss-sidecar breaker amdocs open             nothing is sent to amdocs any more, until `auto`
  bss-sidecar certs show sidecar.yaml         until when every certificate is good
  bss-sidecar config schema > schema.json     for an editor
  bss-sidecar new-key >> master-keys          a key for a file of the cache
  . <(bss-sidecar completion bash)            TAB completes, from now on in this shell

environment:
  {FILE_VARIABLE}   the configuration file, where a command names none

exit status:
  0    it ended as asked
  1    the demo did not go well, the doctor found something that is not well, answers lack
       something (status), a certificate is not to be used, or there is no such breaker
  2    the command line is wrong
  64   the configuration is bad; nothing was bound
  69   a port, socket, certificate or token of a listener can't be had, or no sidecar answers
  130, 143   a second SIGINT or SIGTERM came before all was finished
"""


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


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="bss-sidecar",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {version('bss-sidecar')}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="answer questions until SIGTERM")
    serve.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    serve.add_argument(
        "--fail-open",
        action="store_true",
        help="start whatever happens, answer degraded while the configuration is bad or absent, "
        "and take up the mended file when it comes",
    )

    check = commands.add_parser("check", help="judge a configuration without serving")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true", help="for programs")

    doctor = commands.add_parser("doctor", help="try every connection, and say what is wrong")
    doctor.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    doctor.add_argument("--connection", metavar="NAME", help="this one only")
    doctor.add_argument("--json", action="store_true", help="for programs")

    _add_breaker(commands)
    _add_status(commands)

    config = commands.add_parser("config", help="about the configuration's format")
    config.add_argument(
        "what",
        choices=["schema", "reference"],
        help="print its JSON Schema, or every setting in Markdown",
    )

    demo = commands.add_parser("demo", help="pretend vendors, every question, one cut off")
    demo.add_argument("--keep", action="store_true", help="leave everything running afterwards")

    commands.add_parser(
        "new-key", help="a key for the cache: a line for master_keys_file or name_keys_file"
    )

    _add_certs(commands)

    openapi = commands.add_parser("openapi", help="the HTTP interface, for programs")
    openapi.add_argument("--markdown", action="store_true", help="for people")

    completion = commands.add_parser(
        "completion", help="what a shell sources to complete this command line"
    )
    completion.add_argument("shell", choices=["bash", "zsh", "tcsh"])
    return root


def _add_certs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    certs = commands.add_parser("certs", help="until when certificates are good; or new ones")
    ways = certs.add_subparsers(dest="way", required=True, metavar="WAY")
    show = ways.add_parser("show", help="every certificate of a configuration, and its end")
    show.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    show.add_argument("--json", action="store_true", help="for programs")
    make = ways.add_parser("make", help="throwaway certificates, for trying things out")
    make.add_argument("folder", type=Path, metavar="DIR")


def _add_breaker(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    breaker = commands.add_parser(
        "breaker",
        help="see the breakers of the running sidecar, or force one",
        description="Without a state: what the breakers do, and why. With one: `open` sends "
        "nothing any more, `closed` sends everything whatever fails, `auto` lets the breaker "
        "decide. A force stays through reloads of the configuration and ends with the sidecar.",
    )
    breaker.add_argument("connection", nargs="?", metavar="NAME", help="of a connection")
    breaker.add_argument("wanted", nargs="?", choices=["open", "closed", "auto"])
    breaker.add_argument(
        "--breaker",
        default="vendor",
        metavar="WHICH",
        help="vendor (default), token, identity or database",
    )
    where = breaker.add_mutually_exclusive_group()
    where.add_argument(
        "--admin", metavar="URL", help="of the admin listener, such as http://127.0.0.1:8652"
    )
    where.add_argument("--file", type=Path, metavar="CONFIG", help="that says where it listens")
    breaker.add_argument("--json", action="store_true", help="for programs")


def _add_status(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser(
        "status",
        help="how the running sidecar is: what is broken, since when, what to do",
        description="What the status page shows. Exit status 0: every answer is whole; 1: "
        "something is broken or degraded; 69: no sidecar answers.",
    )
    where = status.add_mutually_exclusive_group()
    where.add_argument(
        "--admin", metavar="URL", help="of the admin listener, such as http://127.0.0.1:8652"
    )
    where.add_argument("--file", type=Path, metavar="CONFIG", help="that says where it listens")
    status.add_argument("--watch", action="store_true", help="again each second, until Ctrl-C")
    status.add_argument("--json", action="store_true", help="for programs")


def _serve(asked: argparse.Namespace) -> int:
    from proxy.serving import Serving  # noqa: PLC0415  (`--help` needs no web server)

    env = environment()
    return Serving(
        path=_file(asked, env), fail_open=asked.fail_open, env=env, out=sys.stdout, err=sys.stderr
    ).run()


def _doctor(asked: argparse.Namespace) -> int:
    from proxy.doctor.run import NOT_NAMED, Visit, run_doctor  # noqa: PLC0415  (as above)

    path = _file(asked, environment())
    if path is None:
        print(NOT_NAMED, file=sys.stderr)  # noqa: T201  (the answer of a command)
        return 64
    visit = Visit(path=path, connection=asked.connection, json=asked.json)
    return run_doctor(visit, clock=wall_clock, out=sys.stdout)


def _file(asked: argparse.Namespace, env: Mapping[str, str]) -> Path | None:
    """As named on the command line, or else in the environment."""
    named = env.get(FILE_VARIABLE)
    return asked.file or (Path(named) if named else None)


def _breaker(asked: argparse.Namespace) -> int:
    from proxy.breaker_command import Wish, run_breaker  # noqa: PLC0415  (as above)

    env = environment()
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
    from proxy.status_command import Look, Terminal, run_status  # noqa: PLC0415  (as above)

    env = environment()
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
    from proxy.check import run_check  # noqa: PLC0415  (as above)

    return run_check(asked.file, json=asked.json, out=sys.stdout)


def _config(asked: argparse.Namespace) -> int:
    from proxy.check import run_reference, run_schema  # noqa: PLC0415  (as above)

    return {"schema": run_schema, "reference": run_reference}[asked.what](sys.stdout)


def _openapi(asked: argparse.Namespace) -> int:
    from config.settings import Limits  # noqa: PLC0415  (as above)
    from proxy.http.openapi import document, text  # noqa: PLC0415  (as above)
    from proxy.http.reference import reference  # noqa: PLC0415  (as above)

    ids = Limits().batch_ids
    told = reference(document(batch_ids=ids)) if asked.markdown else f"{text(batch_ids=ids)}\n"
    sys.stdout.write(told)
    return 0


def _completion(asked: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415  (as above)

    print(shtab.complete(parser(), shell=asked.shell))  # noqa: T201  (the answer of a command)
    return 0


def _demo(asked: argparse.Namespace) -> int:
    from proxy.demo.run import run  # noqa: PLC0415  (as above)

    return run(keep=asked.keep)


def _certs(asked: argparse.Namespace) -> int:
    return {"show": _show_certs, "make": _make_certs}[asked.way](asked)


def _show_certs(asked: argparse.Namespace) -> int:
    from proxy.certs_command import run_certs  # noqa: PLC0415  (as above)
    from proxy.doctor.run import NOT_NAMED  # noqa: PLC0415  (as above)

    env = environment()
    path = _file(asked, env)
    if path is None:
        print(NOT_NAMED, file=sys.stderr)  # noqa: T201  (the answer of a command)
        return 64
    return run_certs(path, json=asked.json, now=wall_clock(), env=env, out=sys.stdout)


def _make_certs(asked: argparse.Namespace) -> int:
    from adapters.simulator.certificates import (  # noqa: PLC0415  (as above)
        write_demo_certificates,
    )

    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_demo_certificates(folder, now=wall_clock())
    print(f"an authority, a server's and a client's certificate and key are in {folder}")  # noqa: T201  (the answer of a command)
    return 0


def _new_key(_asked: argparse.Namespace) -> int:
    from proxy.cache.keys import new_key  # noqa: PLC0415  (as above)

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
