"""What was learned a moment ago, kept for seconds, sealed, and never in the way.

* an **entry** is what is kept of one customer for one question; its **name** is its key in the
  store, a keyed hash that says nothing;
* a **seal** (`seal`): who cannot open it can neither read an entry nor make one;
* a **store** (`store`): keeps bytes under names for a while, in memory or in Redis;
* a **key ring** (`keys`): secrets of one kind. The first seals, all of them open;
* the **layer** (`layer`): asks the store before anybody else is asked, and keeps what they said.

Nothing here fails a question: a store that is slow, gone or lying is a store that has nothing.
"""
