"""Settings: what they are (`settings`), and how they are read and judged (`load`).

Three nouns on the way from a file to a `Settings`:

* a **document** (`document`): what the file says, in a small and strict YAML;
* a **draft** (`draft`): what is left of it once everything that was refused is out;
* a **problem** (`problems`): where, what is wrong, what to write instead. Never a value.

Imports nothing of ours, so that everything may import it. `load` is the only reader of the
environment and of files; a `Settings` is frozen, and a new file makes a new one.
"""
