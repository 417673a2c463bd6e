"""Cerillion: payloads much like TM Forum v4, on the vendor's own paths behind an API gateway.

Source: public code that talks to it. Seen there are paths such as
`/apiman-gateway/{ORG}/{product|bill|troubleTicket}/1.0`, OAuth2 through Keycloak with the secret in
the form, `billingAccount.id=`, `subStatus=CU,FA,TA,RP,TP`, tickets by
`relatedEntity.billingAccount.id=`, balances with `type` for `balanceType`, and accounts of eight
digits, which rows name as a `relatedParty` with `@referredType: BillingAccountExtended` and the
role OWNER or ACCOWNER.

Everything below is a default that a connection can set:

* Assumption: the identity map gives the number of the billing account (`id_kind`);
* Assumption: `account/1.0` and `customer/1.0` stand beside the three paths seen (`apis`);
* Assumption: the five codes in `subStatus` are those of products that are charged, and a row that
  shows a status in words uses TM Forum's (`status_values`, `charged_statuses`);
* Assumption: an account exists when `billingAccount/{id}` is there (`existence`);
* Assumption: `productPrice` may not be filled. The fee is then what was billed last: recurring rows
  of a known period, never an average of past bills (`fee_fallback`).
"""

from adapters.exchange import Api
from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.profile import Profile

_SUB_STATUSES = ("CU", "FA", "TA", "RP", "TP")

PROFILE = Profile(
    version="v4",
    id_kind="account",
    product_query="account",
    status_filter="subStatus",
    status_values=_SUB_STATUSES,
    status_style="comma",
    charged_statuses=("active", "pendingTerminate", "suspended", *_SUB_STATUSES),
    ticket_query="account",
    ticket_filter="relatedEntity.billingAccount.id",
    existence="accounts",
    owner_roles=("OWNER", "ACCOWNER", "customer"),
    fee_fallback="applied_rate",
    api_paths={
        Api.PRODUCT_INVENTORY: "product/1.0/",
        Api.ACCOUNT: "account/1.0/",
        Api.CUSTOMER: "customer/1.0/",
        Api.CUSTOMER_BILL: "bill/1.0/",
        Api.TROUBLE_TICKET: "troubleTicket/1.0/",
    },
)


class CerillionBSSAdapter(TmfAdapter):
    source = "cerillion"

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, PROFILE)
