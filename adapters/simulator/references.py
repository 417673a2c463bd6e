"""References between rows, in the words of TM Forum v4 and v5."""

from typing import Any, TypeAlias

from adapters.simulator.shapes import Holder, Version

Row: TypeAlias = dict[str, Any]
"""One TM Forum resource as JSON, with every number a `Decimal` or an `int`."""

SERVICE_PROVIDER = "ORG-1"


def party(version: Version, party_id: str, role: str, referred_type: str) -> Row:
    """One entry of `relatedParty`. Version 5 puts the party one level deeper."""
    if version == "v4":
        return {"id": party_id, "role": role, "@referredType": referred_type}
    return {
        "@type": "RelatedPartyOrPartyRole",
        "role": role,
        "partyOrPartyRole": {
            "@type": "PartyRef",
            "id": party_id,
            "@referredType": referred_type,
        },
    }


def entity(version: Version, entity_id: str, role: str, referred_type: str) -> Row:
    """One entry of `relatedEntity`."""
    if version == "v4":
        return {"id": entity_id, "role": role, "@referredType": referred_type}
    inner = {"@type": "EntityRef", "id": entity_id, "@referredType": referred_type}
    return {"@type": "RelatedEntity", "role": role, "entity": inner}


def account(account_id: str) -> Row:
    return {"id": account_id, "@referredType": "BillingAccount", "@type": "BillingAccountRef"}


def owners(version: Version, holder: Holder) -> list[Row]:
    """Who has to do with a row of this holder.

    A third of the rows name the service provider too. Some name another *customer* in that role,
    who resells: the vendor's filter finds such a row for both, and only the role tells whose it is.
    """
    n = holder.n
    parties = [party(version, holder.owner, holder.owner_role, holder.owner_type)]
    if n % 3 == 0:
        parties.insert(0, party(version, SERVICE_PROVIDER, "service provider", "Organization"))
    if holder.shape != "cerillion" and n % 100 == 13:
        reseller = Holder(holder.shape, n - 1)
        parties.append(party(version, reseller.owner, "service provider", reseller.owner_type))
    return parties
