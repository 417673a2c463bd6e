"""What a whole question passes on its way to an adapter.

Four nouns carry this room:

* a **layer**: a `LookupAdapter` around a `LookupAdapter`, so that it can stand anywhere in a stack;
* **fail-open** (`fail_open`): the outermost layer; every customer asked gets a lookup in time;
* a **flight** (`flights`, `coalesce`): one lookup under way, which several questions may wait for;
* a **degradation** (`degradation`): why an answer is less than it could be, in one line.

A layer speaks lookups only: no HTTP, no socket, no secret, and nothing of `proxy.exchange` or
`proxy.credentials`.
"""
