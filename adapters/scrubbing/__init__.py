"""What is personal or secret in a value, and the value without it.

Three nouns carry this package:

* a **kind** (`kinds`): what was found, such as a phone number, and what stands in its place;
* a **span** (`spans`): where in a text it was found;
* the **manifest** (`manifest`): what was replaced, told apart by keyed hashes.

Names of fields are looked at first (`fields`, `structure`), then what is left as prose (`prose`).
Nothing here logs, waits, or knows the rest of the sidecar.
"""
