"""The sidecar: what stands between Pedkai's pods and a billing system.

Three nouns carry this package:

* a **listener** (`http`): one door, with its own routes and no other's;
* a **layer** (`lookup`): a `LookupAdapter` around a `LookupAdapter`; what a whole question passes;
* an **exchange** (`exchange`): one request to a vendor and its reply, under a guard. It goes out
  over a **connection** (`connection`) with the **credentials** (`credentials`) of the moment.

`pipeline` is the way of a question on one page: both stacks, in request order.

Arrows point one way: `http > pipeline > lookup | exchange | credentials`, and those three are
strangers to each other; `connection` joins the last two. `app` alone sees all. A vendor's words
and the contract's rules stay in `adapters`, the environment and the files of settings in `config`.
"""
