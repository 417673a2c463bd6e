"""A Dockerfile, read; and its steps, performed in a folder, for there is no engine here.

What stands for what:

- a base image: this machine's Python, copied with its standard library and pip to `usr/local` below
  the root of the stage, and the machine's own `/bin`, `/usr/bin` and libraries, which no step may
  change;
- a root: a folder. Absolute paths of ours in the steps are rewritten into it. Each stage is at the
  same path while it is made, so that what one installs works where another copies it to.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

OURS = ("app", "src", "wheels", "usr/local", "etc/group", "etc/passwd")
_ABSOLUTE = re.compile(rf"(?<![\w./}}-])/(?={'|'.join(OURS)})")
_MOUNT = re.compile(r"^(--mount=\S+\s+)+")
_TOYS = ("test", "site-packages", "dist-packages", "__pycache__")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    word: str
    """In capitals."""
    rest: str
    """What stands behind it, on one line."""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    base: str
    steps: tuple[Step, ...]

    def values(self, word: str) -> list[str]:
        """Of every instruction of this kind, in their order."""
        return [step.rest for step in self.steps if step.word == word]


def instructions(text: str) -> Iterator[Step]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Step(word.upper(), " ".join(rest.split()))


def stages(text: str) -> list[Stage]:
    made: list[Stage] = []
    for step in instructions(text):
        if step.word == "FROM":
            base, _, name = step.rest.partition(" AS ")
            made.append(Stage(name or "final", base, ()))
        elif made:
            last = made[-1]
            made[-1] = Stage(last.name, last.base, (*last.steps, step))
    return made


def settings(stage: Stage, word: str) -> Mapping[str, str]:
    """What `ENV` or `LABEL` sets."""
    pairs = (pair for rest in stage.values(word) for pair in shlex.split(rest))
    return dict(pair.split("=", 1) for pair in pairs)


@dataclass(slots=True)
class Builder:
    """Performs stages one after the other."""

    context: Path
    """What is sent to the engine."""
    folder: Path
    ambient: Mapping[str, str]
    """The environment, for how packages are reached from here."""
    done: dict[str, Path] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Of the stage that is being made."""
        return self.folder / "root"

    def build(self, wanted: list[Stage]) -> Path:
        """The root of the last stage."""
        for stage in wanted:
            if self.root.exists():
                self.root.rename(self.folder / "before")
                self.done = {
                    name: self.folder / "before" if path == self.root else path
                    for name, path in self.done.items()
                }
            self._make(stage)
            former = self.folder / "before"
            if former.exists():
                kept = self.folder / f"stage-{len(self.done)}"
                former.rename(kept)
                self.done = {
                    name: kept if path == former else path for name, path in self.done.items()
                }
            self.done[stage.name] = self.root
        return self.root

    def _make(self, stage: Stage) -> None:
        self.root.mkdir()
        if stage.base != "scratch":
            _base(self.root)
        env = dict(self.ambient)
        where = "/"
        for step in stage.steps:
            if step.word == "WORKDIR":
                where = step.rest
                self._inside(where).mkdir(parents=True, exist_ok=True)
            elif step.word == "ENV":
                env |= {name: self._rewritten(value) for name, value in _pairs(step.rest)}
            elif step.word == "COPY":
                self._copy(shlex.split(step.rest), where)
            elif step.word == "RUN":
                self._run(_MOUNT.sub("", step.rest), where, env)

    def _run(self, command: str, where: str, env: Mapping[str, str]) -> None:
        path = f"{self.root}/usr/local/bin:/usr/bin:/bin"
        finished = subprocess.run(
            ["/bin/sh", "-c", self._rewritten(command)],
            cwd=self._inside(where),
            env={**env, "PATH": path, "LD_LIBRARY_PATH": f"{self.root}/usr/local/lib"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, f"{command}\n{finished.stdout}\n{finished.stderr}"

    def _copy(self, words: list[str], where: str) -> None:
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        stage = next((one.removeprefix("--from=") for one in options), None)
        origin = self.context if stage is None else self.done[stage]
        to = self._inside(where) / target if not target.startswith("/") else self._inside(target)
        for source in sources:
            found = origin / source.lstrip("/")
            assert found.exists(), f"COPY {source}: it is not there"
            if found.is_dir():
                shutil.copytree(found, to, symlinks=True, dirs_exist_ok=True)
            else:
                landed = to / found.name if target.endswith("/") or to.is_dir() else to
                landed.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, landed)

    def _inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _rewritten(self, text: str) -> str:
        return _ABSOLUTE.sub(f"{self.root}/", text)


def _pairs(rest: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (one.partition("=") for one in shlex.split(rest))]


def _base(root: Path) -> None:
    """A Python of its own, with pip."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    programs, library = root / "usr/local/bin", root / "usr/local/lib" / name
    programs.mkdir(parents=True)
    library.parent.mkdir()
    shutil.copy2(Path(sys._base_executable).resolve(), programs / name)  # type: ignore[attr-defined]  # there since 3.3, undocumented
    shared = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY"))
    for one in shared.parent.glob(f"{shared.name}*") if shared.suffix == ".so" else ():
        shutil.copy2(one, library.parent)
    for alias in ("python3", "python"):
        (programs / alias).symlink_to(name)
    shutil.copytree(
        sysconfig.get_path("stdlib"), library, symlinks=True, ignore=shutil.ignore_patterns(*_TOYS)
    )
    (library / "site-packages").mkdir()
    subprocess.run(
        [str(programs / "python"), "-m", "ensurepip", "--default-pip"],
        check=True,
        capture_output=True,
        env={"LD_LIBRARY_PATH": str(library.parent)},
    )
    (root / "etc").mkdir()
    for file in ("group", "passwd"):
        (root / "etc" / file).write_text("root:x:0:\n")


def exec_form(stage: Stage, word: str) -> list[str]:
    """The words of an `ENTRYPOINT` or `CMD`."""
    words: list[str] = json.loads(stage.values(word)[-1])
    return words
