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


PRODUCT = Resource(Api.PRODUCT_INVENTORY, "product", names_of)
BILLING_ACCOUNT = Resource(Api.ACCOUNT, "billingAccount", names_of_account)
CUSTOMER = Resource(Api.CUSTOMER, "customer", names_of_customer)
APPLIED_RATE = Resource(Api.CUSTOMER_BILL, "appliedCustomerBillingRate", names_of)
BILL = Resource(Api.CUSTOMER_BILL, "customerBill", names_of)
TICKET = Resource(Api.TROUBLE_TICKET, "troubleTicket", names_of_ticket)
