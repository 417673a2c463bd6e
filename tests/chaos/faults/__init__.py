"""One fault, one file, one paragraph. `fault.py` says how to add one."""
