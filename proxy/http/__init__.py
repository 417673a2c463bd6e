"""The HTTP interface: three listeners, each with its own routes and no other's.

Three nouns carry this package:

* a **door** (`door`): the routes of one listener behind one gate; every answer leaves through it;
* a **gate** (`gate`): who may ask at all, decided on headers before any route is looked at;
* a **problem** (`problems`): the only thing that makes a response from an error (RFC 9457).

What is asked is parsed in `requests`, what is answered is made in `answers`; both are pure. No
vendor, no settings, no cache: `ports` says what a listener needs of the rest of the sidecar.
"""

from typing import Final

SERVER: Final = "bss-sidecar"
"""What every answer says that it comes from (`Server`, RFC 9110, section 10.2.4)."""
