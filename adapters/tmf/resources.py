"""The TM Forum resources that are asked for, and where each names its owner."""

from dataclasses import dataclass

from adapters.exchange import Api
from adapters.tmf.ownership import (
    Naming,
    names_of,
    names_of_account,
    names_of_customer,
    names_of_ticket,
)


@dataclass(frozen=True, slots=True)
class Resource:
    api: Api
    path: str
    """Of the collection, below the API's base URL."""
    naming: Naming
    adds_up: bool = True
    """Whether its rows add up to a figure, in which none may count for two customers. A sign of a
    dispute about a shared account is one for each of them."""


PRODUCT = Resource(Api.PRODUCT_INVENTORY, "product", names_of)
BILLING_ACCOUNT = Resource(Api.ACCOUNT, "billingAccount", names_of_account)
CUSTOMER = Resource(Api.CUSTOMER, "customer", names_of_customer)
APPLIED_RATE = Resource(Api.CUSTOMER_BILL, "appliedCustomerBillingRate", names_of)
BILL = Resource(Api.CUSTOMER_BILL, "customerBill", names_of, adds_up=False)
TICKET = Resource(Api.TROUBLE_TICKET, "troubleTicket", names_of_ticket, adds_up=False)
