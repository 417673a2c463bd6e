"""Settings: what they are (`settings`), and how they are read and judged (`load`).

Imports nothing of ours, so that everything may import it. `load` is the only reader of the
environment and of files; a `Settings` is frozen, and a new file makes a new one.
"""
