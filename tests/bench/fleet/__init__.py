"""A fleet of sidecars on one Redis and one vendor, by simulation. Run with `make fleet`.

A *run* plays a *plan* from one moment to the next: nothing sleeps, chance has a seed. A *member* is
a sidecar reduced to what others feel of it. Whatever it decides, it decides by the product's own
code (breaker, adaptive limit, slots, retry budget, backoff, cache rules, token times): described
anew here is only what lies between, such as who waits for whom, and what is outside of a sidecar.
"""
