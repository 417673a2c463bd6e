"""Missing, or just without products? An empty list says neither, so one more question is asked.

What is asked is a setting, because vendors differ in what they serve:

* `customer_by_id`: TMF629 `customer/{id}`;
* `customer_by_party`: TMF629 `customer?engagedParty.id=`, for ids of individuals;
* `accounts`: TMF666 `billingAccount/{id}` for ids of accounts, `billingAccount?relatedParty.id=`
  for all others;
* `none`: nothing; whoever has a mapping is found, without a price.

By id, a 404 with an error body means missing. In a list, only a plain empty one does: rows of which
none is the customer's mean that the filter was ignored, or that roles differ from what the
connection says, and then nobody could say.
"""

from adapters.exchange import Query
from adapters.outcome import LookupFailed, Reason
from adapters.tmf.inquiry import Inquiry
from adapters.tmf.ownership import Subject, share_out
from adapters.tmf.resources import BILLING_ACCOUNT, CUSTOMER, Resource


async def exists(inquiry: Inquiry, subject: Subject) -> bool:
    """Whether the vendor knows this customer. Raises `LookupFailed` when nobody could say."""
    profile, vendor_id = inquiry.profile, subject.vendor_id
    if profile.existence == "none":
        return True
    if profile.existence == "customer_by_id":
        return await inquiry.by_id(CUSTOMER, vendor_id) is not None
    if profile.existence == "customer_by_party":
        query = ((profile.customer_filter, vendor_id),)
        return await _is_listed(inquiry, CUSTOMER, subject, query)
    if profile.id_kind == "account":
        return await inquiry.by_id(BILLING_ACCOUNT, vendor_id) is not None
    query = ((profile.party_parameter, vendor_id),)
    return await _is_listed(inquiry, BILLING_ACCOUNT, subject, query)


async def _is_listed(inquiry: Inquiry, resource: Resource, subject: Subject, query: Query) -> bool:
    rows = await inquiry.listed(resource, [subject], query)
    if not rows:
        return False
    shares = share_out(rows, [subject], resource.naming, inquiry.profile)
    if shares and shares[subject.vendor_id].rows:
        return True
    raise LookupFailed(
        Reason.BAD_RESPONSE, "rows, and none of the customer: is the filter ignored?"
    )
