"""A pretend vendor over real mTLS and OAuth2, for the demo, the tests and the benchmarks.

Three nouns carry this package:

* the **population** (`population`): which customers a tenant has, and what is true of each;
* the **vendor data** (`vendor_data`): the TM Forum rows in which a vendor of some shape tells
  that truth, with every spelling that real vendors use;
* a **fault** (`faults`): one way in which a vendor fails, switched on and off while it runs.

It behaves like a vendor and not like our expectations, so it imports nothing of `adapters.tmf`
and of the adapters: what the rows mean is decided here a second time, on purpose.
"""
