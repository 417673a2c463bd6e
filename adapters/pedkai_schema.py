"""Those columns of Pedkai's schema that are read here, and no others.

`bss_billing_accounts.avg_monthly_revenue` is an average, so it is not even named. The columns
have no types on purpose: a driver's raw value is judged row by row, and one odd value costs one
customer and not the batch. UUIDs are native in PostgreSQL and text in SQLite.
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Uuid, any_, bindparam, column, func, select, table
from sqlalchemy.dialects.postgresql import ARRAY

customers = table("customers", column("id"), column("tenant_id"), column("external_id"))
accounts = table(
    "bss_billing_accounts",
    column("id"),
    column("tenant_id"),
    column("customer_id"),
    column("plan_id"),
    column("last_billing_dispute"),
)
plans = table(
    "bss_service_plans", column("id"), column("tenant_id"), column("name"), column("monthly_fee")
)

tenant = bindparam("tenant", type_=String())


def is_asked(dialect: str) -> ColumnElement[bool]:
    """Whether a customer's row is of the tenant and among the ids asked.

    The ids are one parameter, `ids`, however many they are: both databases limit the number of
    parameters, and a statement that never changes is prepared once.
    """
    ids: ColumnElement[Any]
    if dialect == "postgresql":
        among = customers.c.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
    else:
        ids = func.json_each(bindparam("ids", type_=String())).table_valued("value").c.value
        among = customers.c.id.in_(select(ids))
    return (customers.c.tenant_id == tenant) & among


def asked(customer_ids: Iterable[UUID], tenant_id: str, dialect: str) -> dict[str, object]:
    """The parameters `ids` and `tenant`. Text is looked for in both ways of writing a UUID."""
    if dialect == "postgresql":
        return {"tenant": tenant_id, "ids": list(customer_ids)}
    forms = [form for one in customer_ids for form in (str(one), one.hex)]
    return {"tenant": tenant_id, "ids": json.dumps(forms)}
