"""Who the sidecar is to a vendor, and whom it trusts.

Five nouns carry this room:

* **credentials** (`snapshot`): an immutable, versioned snapshot of what the mounted files say;
* a **judgement** (`judgement`): whether files may become credentials, or all that is wrong with
  them and what to do, as a rule over bytes and a moment;
* a **source** (`source`): the last good credentials of one connection; it follows the files, for
  which `watch` gives hints, and `loading` makes the next version;
* a **token** (`tokens`): what an issuer gives for them, judged in `token_reply` before it is used;
* a **renewal** (`renewal`): one attempt at a time for all who wait, and a rest after a failure.

Files are read whole, in a thread, and until two reads agree. No secret and no key is in a repr, an
exception or a log, and nothing here opens a socket: a token is asked for through a door that
`tokens` describes.
"""
