"""The files of a cache, good and bad, by turns."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority
from config.settings import Redis
from proxy.cache.keys import new_key
from proxy.cache_files import KeyFiles, LoginFiles

NOW = wall_clock()
DAY = timedelta(days=1)


def key(number: int) -> bytes:
    return b64encode(bytes([number] * 32)) + b"\n"


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    (tmp_path / "master").write_bytes(key(1))
    (tmp_path / "names").write_bytes(key(2))
    return KeyFiles(str(tmp_path / "master"), str(tmp_path / "names"))


def test_two_good_files_are_rings_and_news_once(keys: KeyFiles, tmp_path: Path) -> None:
    assert keys.look() is True
    assert keys.look() is False
    assert keys.current is not None
    assert keys.current.master.keys == (bytes([1] * 32),)
    (tmp_path / "master").write_bytes(b"# the first seals\n" + key(3) + key(1))
    assert keys.look() is True
    assert keys.current.master.keys == (bytes([3] * 32), bytes([1] * 32))
    assert keys.problems == ()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("master", b"secret-that-is-no-key\n", "line 1 is not base64"),
        ("names", b"", "is empty"),
        ("names", key(2) + b64encode(b"x" * 31), "line 2 holds 31 bytes"),
        ("names", key(1), "stands in both rings"),
        ("master", key(4) + key(4), "twice"),
        ("master", None, "cannot be read (FileNotFoundError)"),
    ],
)
def test_a_bad_file_leaves_the_last_good_ones_and_says_why(
    keys: KeyFiles, tmp_path: Path, file: str, content: bytes | None, words: str
) -> None:
    keys.look()
    good = keys.current
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    assert keys.look() is False
    assert keys.current is good
    (problem,) = keys.problems
    assert (problem.kind, problem.file, problem.serious) == (
        "cache_keys",
        str(tmp_path / file),
        True,
    )
    assert words in problem.what
    assert "secret" not in problem.what
    (tmp_path / file).write_bytes(key(5))
    assert keys.look() is True
    assert keys.problems == ()


def test_what_is_wrong_with_both_files_is_told_at_once(tmp_path: Path) -> None:
    keys = KeyFiles(str(tmp_path / "a"), str(tmp_path / "b"))
    assert keys.look() is False
    assert keys.current is None
    assert [Path(one.file).name for one in keys.problems] == ["a", "b"]
    assert new_key() not in repr(keys)


def login(**setting: Any) -> LoginFiles:
    return LoginFiles(Redis.model_validate(setting))


def test_a_redis_that_asks_for_nothing_needs_no_file() -> None:
    files = login(url="redis://localhost")
    assert files.paths() == ()
    assert files.look(NOW) is True
    assert files.current is not None
    assert files.current.client_secret is None


def test_a_password_rotates_and_a_bad_file_leaves_the_last_one(tmp_path: Path) -> None:
    password = tmp_path / "password"
    files = login(url="redis://localhost", password_file=str(password))
    assert files.look(NOW) is False
    assert "password" in files.problems[0].what
    password.write_text("first\n")
    assert files.look(NOW) is True
    assert files.look(NOW) is False
    password.write_text("second")
    assert files.look(NOW) is True
    password.write_text("")
    assert files.look(NOW) is False
    assert files.current is not None
    assert files.current.client_secret is not None
    assert files.current.client_secret.get_secret_value() == "second"
    (problem,) = files.problems
    assert (problem.kind, problem.what) == ("cache_login", "the password of Redis is empty")
    assert "second" not in repr(files.current)


def test_a_password_of_the_environment_is_one() -> None:
    files = login(url="redis://localhost", password="hunter2")
    assert files.look(NOW) is True
    assert files.current is not None
    assert files.current.client_secret is not None
    assert files.current.client_secret.get_secret_value() == "hunter2"


def test_certificates_rotate_and_those_that_do_not_fit_each_other_are_refused(
    tmp_path: Path,
) -> None:
    authority = Authority.create(now=NOW)
    trusted = authority.write(tmp_path)
    mine = authority.issue_client("sidecar").write(tmp_path, "client")
    tls = {
        "trust_bundle_file": str(trusted),
        "certificate_file": str(mine.certificate_file),
        "key_file": str(mine.key_file),
    }
    files = login(url="rediss://localhost", tls=tls)
    assert len(files.paths()) == 3
    assert files.look(NOW) is True
    first = files.current
    authority.issue_client("sidecar").write(tmp_path, "other")
    (tmp_path / "client.pem").write_bytes((tmp_path / "other.pem").read_bytes())
    assert files.look(NOW) is False
    assert files.current is first
    assert "does not belong" in files.problems[0].what
    (tmp_path / "client.key").write_bytes((tmp_path / "other.key").read_bytes())
    assert files.look(NOW) is True
    assert files.problems == ()


def test_no_certificate_is_read_for_a_redis_without_tls(tmp_path: Path) -> None:
    tls = {"trust_bundle_file": str(tmp_path / "none")}
    assert login(url="redis://localhost", tls=tls).paths() == ()
    assert login(url="rediss://localhost", tls=tls).paths() != ()
    sentinels = {"sentinels": ["localhost:1"], "sentinel_service": "mymaster"}
    assert login(**sentinels, tls=tls).paths() != ()
