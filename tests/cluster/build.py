"""Builds the programs of the cluster tests, once: kube-apiserver, etcd and kubectl in one; helm 4.

They stay outside the project, so that a fresh clone finds them. Standard library only: this runs
before anything is installed. Prints its progress on standard error.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

MODULE = Path(__file__).parent / "apiserver"
HELM = Path(__file__).parent / "helm4"
PROGRESS_EVERY_S = 15

# Packages are compiled at the lowest priority: a person may want to work meanwhile.
_NICE = ("nice", "-n", "19")
_PLAIN = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath", "GOWORK": "off"}
_VERSION_OF = "k8s.io/component-base/version"
_HELM_PACKAGE = "helm.sh/helm/v4/cmd/helm"
_HELM_LINKING = "-s -w"


class CannotBuild(Exception):  # noqa: N818  (it reads as the sentence it is)
    """Why, in one line."""


def kubernetes_version() -> str:
    """As `go.mod` pins it: `1.36.3`."""
    return _pinned(MODULE, "k8s.io/kubernetes")


def helm_version() -> str:
    """As its `go.mod` pins it: `4.3.1`."""
    return _pinned(HELM, "helm.sh/helm/v4")


def _pinned(module: Path, dependency: str) -> str:
    pins = (module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require |\t){re.escape(dependency)} v(\S+)$", pins, re.MULTILINE)
    if found is None:
        raise CannotBuild(f"{module / 'go.mod'} pins no {dependency}")
    return found[1]


def program(env: Mapping[str, str]) -> Path:
    """Where it is, or will be. Other sources are another place."""
    return _place(env, MODULE, f"kube-{kubernetes_version()}") / "kube"


def helm(env: Mapping[str, str]) -> Path:
    """As above, of helm 4."""
    return _place(env, HELM, f"helm-{helm_version()}") / "helm"


def _place(env: Mapping[str, str], module: Path, name: str) -> Path:
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = sorted([*module.glob("go.*"), *module.glob("*.go")])
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    return cache / "bss-sidecar" / f"{name}-{digest}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  (a person waits)


def build(target: Path, env: Mapping[str, str]) -> None:
    """One build at a time: who comes second waits, and finds it done."""
    if shutil.which("go", path=env.get("PATH")) is None:
        raise CannotBuild(
            "make test-cluster builds a Kubernetes API server and needs Go 1.26 (https://go.dev)"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _compile(target, {**env, **_PLAIN})


def _compile(target: Path, env: Mapping[str, str]) -> None:
    """`target.name` says which program it is."""
    is_helm = target.name == "helm"
    module, package = (HELM, _HELM_PACKAGE) if is_helm else (MODULE, ".")
    name = f"helm {helm_version()}" if is_helm else f"kube-apiserver {kubernetes_version()}, etcd"
    began = time.monotonic()  # noqa: TID251  (progress on a real clock)
    say(f"Building {name}, once; kept in {target.parent}")
    say("  step 1 of 2: the sources, from the module proxy")
    packages = _listed(module, package, env)
    say(f"  step 2 of 2: {packages} packages to compile (8 to 30 minutes on two cores)")
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    flags = _HELM_LINKING if is_helm else _linking()
    try:
        command = ["build", "-v", "-ldflags", flags, "-o", str(fresh), package]
        _run(command, module, env, packages)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    minutes = (time.monotonic() - began) / 60  # noqa: TID251  (as above)
    say(f"  built in {minutes:.1f} minutes; the next run starts at once")


def _linking() -> str:
    version = kubernetes_version()
    major, minor, _ = version.split(".")
    told = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return "-s -w " + " ".join(f"-X {_VERSION_OF}.{name}={is_}" for name, is_ in told.items())


def _listed(module: Path, package: str, env: Mapping[str, str]) -> int:
    done = subprocess.run(
        ["go", "list", "-deps", package],
        cwd=module,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotBuild(f"go list: {done.stderr.strip()[-2_000:]}")
    return done.stdout.count("\n")


def _run(arguments: Sequence[str], module: Path, env: Mapping[str, str], packages: int) -> None:
    """`go build -v` names each package as it is compiled; what the build cache has is not named."""
    began = time.monotonic()  # noqa: TID251  (progress on a real clock)
    count, told, tail = 0, began, list[str]()
    command = [*_NICE, "go", *arguments]
    with subprocess.Popen(
        command, cwd=module, env=env, stderr=subprocess.PIPE, text=True
    ) as running:
        for line in running.stderr or ():
            count += 1
            tail = [*tail[-30:], line]
            now = time.monotonic()  # noqa: TID251  (as above)
            if now - told >= PROGRESS_EVERY_S:
                say(f"  {count} of at most {packages} packages, {(now - began) / 60:.1f} minutes")
                told = now
    if running.returncode:
        raise CannotBuild("go build failed:\n" + "".join(tail))


def main() -> int:
    env = dict(os.environ)  # noqa: TID251  (Go's own settings pass through)
    try:
        for target in (program(env), helm(env)):
            if not target.exists():
                build(target, env)
    except CannotBuild as no:
        say(str(no))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
