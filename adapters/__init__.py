"""What is asked of a billing system, and how each one is asked.

Three nouns carry this package:

* the **contract** (`bss_adapter`): three questions and their two models, nothing more;
* a **lookup** (`lookup`): what a question finds out about one customer, `Found`, `Missing` or
  `Unavailable`. Every layer speaks lookups; `revenue` alone turns them into contract models;
* an **adapter**: translates lookups into one vendor's words, over the ports `exchange` and
  `identity`.

An adapter has no sockets, retries, secrets or clock of its own, and imports nothing of `proxy`
or `config`. Vendor words live only in the vendor's own module.
"""
