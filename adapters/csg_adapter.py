"""CSG: TM Forum v4 through a facade, in the TM Forum's own layout below `/tmf-api/`.

Little of it is public. A product query needs `relatedParty.id`, `billingAccount.id` and `status`
together, and a cable customer has several accounts, each with a number of 16 digits. So the
accounts are asked for first, and then the products of each account.

Everything below is a default that a connection can set:

* Assumption: the identity map gives the id of the customer (`id_kind`);
* Assumption: a query takes one status, so each charged status is asked for by itself. Where the
  facade takes several, `status_style: comma` makes that a third of the exchanges, which a batch of
  200 needs. It is not the default: a facade that reads only the first status would leave the
  others out without a word, and the fee would be too low;
* Assumption: whether a customer exists is told by `customer/{id}` (`existence`);
* Assumption: disputes are TMF621 tickets that name the customer (`ticket_query`,
  `dispute_sources`).

A `Fault` object in a 200, which CSG's older services answer with, is a fault of the vendor here.

**CSG Ascendon is not supported.** It is not TM Forum: it takes POST actions such as
`/SubscriberManagement/RetrieveSubscriber`, signs in by `CD-…` headers, and has no public
description of prices and disputes. It stays out until somebody brings one.
"""

from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.profile import Profile

PROFILE = Profile(
    version="v4",
    id_kind="customer",
    product_query="party_and_account",
    status_filter="status",
    status_style="each",
    existence="customer_by_id",
)


class CSGBSSAdapter(TmfAdapter):
    source = "csg"

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, PROFILE)
