"""One request to a vendor and its reply, and what guards it.

Three nouns carry this room:

* an **exchange**: one request and its reply (`adapters.exchange.Exchange`);
* a **layer**: one step of the guard around whoever is asked (`retry`, `hedge`, `admission`,
  `bulkhead`, `permit`). It passes requests and replies on without looking at them, so vendors,
  token endpoints and databases have the same; what it decides by is in `proxy.guard`;
* the **wire** (`wire`): the innermost exchange, HTTP over sockets. `replies` and `json_body` judge
  what came back, `faults` puts what broke into our words; all three are pure.

Nothing of the vendor's is believed before it is bounded, and none of its text leaves this room
except as a reply's body. Files and secrets are not read here: `Authorization` is a door.
"""
