"""Amdocs: TM Forum v4 shapes, one host per service, without a `/tmf-api/…` prefix.

Source: client code that Amdocs publishes. Seen there are `https://{service}.<domain>/{resource}`,
arrays at the root, 4xx bodies with a `message`, `billingAccount?relatedParty.id=`,
`customer?engagedParty.id=`, `product?…&relatedParty.id=` and
`appliedCustomerBillingRate?billingAccount.id=`. One host may serve them all (`base_url`), or each
has its own (`apis`).

Everything below is a default that a connection can set:

* Assumption: the identity map gives the id of the *individual*, because that is what
  `relatedParty.id` is there (`id_kind`, `party_filter`);
* Assumption: whether a customer exists is asked by party (`existence`). With `customer_by_id`, a
  404 whose body has a `message` means "no such customer" (`error_keys`). Some API gateways answer
  a wrong path in the same shape, so try an id that exists before trusting it;
* Assumption: products show TM Forum statuses. Classic on-premise installations show codes of their
  own, such as SN, SR and SF: list those that are charged (`charged_statuses`);
* Assumption: disputes are TMF621 tickets. Whether an installation serves TMF621 is unknown; where
  it does not, `dispute_sources` names another sign, or none.
"""

from adapters.exchange import Api
from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.profile import Profile

PROFILE = Profile(
    version="v4",
    id_kind="individual",
    product_query="party",
    existence="customer_by_party",
    error_keys=("message",),
    api_paths=dict.fromkeys(Api, ""),
)


class AmdocsBSSAdapter(TmfAdapter):
    source = "amdocs"

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports, PROFILE)
