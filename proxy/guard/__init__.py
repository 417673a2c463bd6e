"""The rules by which what fails is left alone, and what is slow is asked less.

Pure decisions and small counters: `now` is an argument in every one of them, and nothing here
knows what is being asked for. Vendors, token endpoints and databases have their own of each.

* a **breaker** (`breaker`): whether anybody may be asked at all;
* a **verdict** (`verdict`): what one outcome says about who was asked;
* **slots** (`slots`): how many are asked at once, and who is next;
* a **limit** (`limit`): how many slots there should be, given how long answers take;
* a **retry budget** (`retry_budget`): how much may be asked again.

A **guard** (`guard`) is all of these of one who is asked; `proxy.pipeline` makes layers around it
of them. What it has around itself comes from outside: a clock, an operator's **switch** (`switch`),
a **witness** (`witness`) who counts.
"""
