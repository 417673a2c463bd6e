"""What `/metrics` shows."""

from config.group import Group


class Metrics(Group):
    """The figures on `/metrics`."""

    by_tenant: bool = False
    """Whether questions are counted for each tenant as well. A tenant's name, which names a
    customer of Pedkai's, is then read by whoever may read `/metrics`."""
