"""Who the sidecar is to a vendor, and whom it trusts.

Three nouns carry this room:

* **credentials** (`snapshot`): an immutable, versioned snapshot of what the mounted files say;
* a **token** (`tokens`): what an issuer gives for them, judged in `token_reply` before it is used;
* a **renewal** (`renewal`): one attempt at a time for all who wait, and a rest after a failure.

Files are read whole and in a thread. No secret and no key is in a repr, an exception or a log, and
nothing here opens a socket: a token is asked for through a door that `tokens` describes.
"""
