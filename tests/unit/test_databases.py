"""The databases' URLs, as files and environment say them now."""

from pathlib import Path

from proxy.databases import DatabaseKey, Databases


async def test_a_url_that_is_no_url_is_told_without_its_words(tmp_path: Path) -> None:
    dsn = tmp_path / "dsn"
    key = DatabaseKey(dsn_file=str(dsn), dsn=None, pool=1, queue_length=1, connect_timeout_s=0.1)
    databases = Databases([key])
    dsn.write_text("mysql://canary:canary@host/db")
    assert await databases.look() is False
    assert "not valid" in databases[key].problem
    assert "canary" not in databases[key].problem
    dsn.write_text("")
    await databases.look()
    assert databases[key].problem == "its dsn_file is empty"
    dsn.write_text("sqlite+aiosqlite:////nowhere/db")
    assert await databases.look() is True
    first = databases[key].engine
    dsn.write_text("sqlite+aiosqlite:////elsewhere/db")
    assert await databases.look() is True
    assert databases[key].engine is not first
    dsn.unlink()
    assert await databases.look() is False
    assert databases[key].engine is not None
    assert databases[key].problem == ""
    await databases.aclose()


async def test_a_url_from_the_environment_is_in_no_repr(tmp_path: Path) -> None:
    key = DatabaseKey(
        dsn_file=None,
        dsn="sqlite+aiosqlite:////canary",
        pool=1,
        queue_length=1,
        connect_timeout_s=0.1,
    )
    databases = Databases([key])
    assert await databases.look() is True
    assert "canary" not in repr(key) + repr(databases[key])
    await databases.aclose()
