"""What the sidecar tells about itself: lines of a log, and figures.

Three nouns carry this package:

* a **record** (`records`): what may be told of a question; it has no field for anything personal;
* the **log** (`log`): one structured stream, through which libraries speak too, scrubbed;
* the **metrics** (`metrics`): one registry, whose labels are closed lists or configured names.

Fees, plans and ids are told to neither, at any level. An exception is its type and its place in
the code; its text may hold a vendor's words.
"""

from proxy.telemetry.journal import Telemetry

__all__ = ["Telemetry"]
