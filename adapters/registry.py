"""From a vendor's name to its adapter. The only file that lists vendors.

Adding one is a line here and a module beside it; `adapters/README.md` walks through it.
"""
