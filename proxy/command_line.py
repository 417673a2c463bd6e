"""The command line: what can be asked of `bss-sidecar`, and its exit statuses."""

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from config.document import Plain
    from config.problems import Place

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (the only name of this type)

FILE_VARIABLE = "BSS_SIDECAR_CONFIG"

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
       something (status), a certificate is not to be used or would be written over, or there
       is no such breaker
  2    the command line is wrong
  64   the configuration is bad; nothing was bound
  69   a port, socket, certificate or token of a listener can't be had, or no sidecar answers
  130, 143   a second SIGINT or SIGTERM came before all was finished
"""


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="bss-sidecar",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {version('bss-sidecar')}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_serve(commands)

    check = commands.add_parser("check", help="judge a configuration without serving")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
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


def _add_certs(commands: "Commands") -> None:
    certs = commands.add_parser("certs", help="until when certificates are good; or new ones")
    ways = certs.add_subparsers(dest="way", required=True, metavar="WAY")
    show = ways.add_parser("show", help="every certificate of a configuration, and its end")
    show.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    show.add_argument("--json", action="store_true", help="for programs")
    make = ways.add_parser("make", help="throwaway certificates, for trying things out")
    make.add_argument("folder", type=Path, metavar="DIR")
    make.add_argument("--force", action="store_true", help="write over what is there")


def _add_breaker(commands: "Commands") -> None:
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


def _add_status(commands: "Commands") -> None:
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


def _add_serve(commands: "Commands") -> None:
    serve = commands.add_parser("serve", help="answer questions until SIGTERM")
    serve.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the configuration")
    serve.add_argument(
        "--fail-open",
        action="store_true",
        help="start whatever happens, answer degraded while the configuration is bad or absent, "
        "and take up the mended file when it comes",
    )
    serve.add_argument(
        "--set",
        action="append",
        default=[],
        type=_override,
        metavar="PATH=VALUE",
        help="a setting, such as logging.level=debug; wins over the file's, and holds without one. "
        "PATH= takes the file's out",
    )


def _override(text: str) -> "tuple[Place, Plain]":
    from config.overrides import parse_override  # noqa: PLC0415  (a YAML parser, for `--set` alone)

    try:
        return parse_override(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
