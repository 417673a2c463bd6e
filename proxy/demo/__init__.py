"""`bss-sidecar demo`: watch the sidecar answer, lose a vendor, and recover.

Three nouns: the **stage** (certificates, three pretend vendors, a database, the sidecar, each a
real process), the **pod** that asks, and the **story** that is told on the **screen**. Nothing
here is imported by the sidecar; the stage's programs are started as anybody would start them.
"""
