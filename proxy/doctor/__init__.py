"""`bss-sidecar doctor`: every connection gone through step by step, as an operator would by hand.

Three nouns carry this room:

* a **step** (`findings`): one thing that was tried, what it showed, and, where it did not go
  well, the cause and the cure;
* a **call-out** (`reaching`, `tokens`, `asking`): steps that open sockets, with the credentials and
  the adapters that serve, but with more patience, and beside a sidecar that runs;
* **advice** (`advice`, `database_advice`): from what went wrong to cause and cure. Pure.

Nothing is changed anywhere: files are read, one token is asked for, one customer that nobody has is
asked about. No secret, no token, no password and no vendor text is in a step.
"""
