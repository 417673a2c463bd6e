from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.accounts import account_uuid

_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)


@given(st.uuids(), _NAMES)
def test_an_account_id_that_is_a_uuid_passes_as_it_is(account: UUID, connection: str) -> None:
    assert account_uuid(connection, str(account)) == account
    assert account_uuid(connection, str(account).upper()) == account


@given(_NAMES, st.text(min_size=1))
def test_any_other_account_id_becomes_the_same_uuid_each_time(
    connection: str, vendor_id: str
) -> None:
    first = account_uuid(connection, vendor_id)
    assert first == account_uuid(connection, vendor_id)
    assert first.version == 5


@given(_NAMES, _NAMES, st.text(min_size=1), st.text(min_size=1))
def test_two_accounts_or_two_connections_never_share_a_uuid(
    one: str, other: str, first_id: str, second_id: str
) -> None:
    same = (one, first_id) == (other, second_id)
    assert (account_uuid(one, first_id) == account_uuid(other, second_id)) is same


def test_an_account_uuid_is_stable_across_releases() -> None:
    """A changed id would make every account of a customer look new."""
    assert account_uuid("cerillion", "20000001") == UUID("01b2793b-df2a-59f0-a0f5-0c72aa35d532")


def test_sixteen_or_thirty_two_digits_are_an_account_number_and_no_uuid() -> None:
    digits = "8448010000000001" * 2
    assert account_uuid("csg", digits) != UUID(digits)
