"""The TM Forum Open APIs, spoken once for all vendors: v4 and v5.

Three nouns carry the part that decides, which is pure, takes `now` as an argument, and reads what
a vendor sends as a list of anything at all:

* a **charge** (`charges`): what one price adds to a month, exact and not yet rounded. What is not
  a charge is a `Verdict`: it adds nothing, its amount is missing, or it can't be decided;
* a **product** (`bundles`): one thing that a customer has, met once however often it is sent,
  with the bundles that it belongs to;
* a **reading** (`products`): what all rows of one customer say, as a `Billing`, and whether they
  carry a price at all.

Reading is liberal, counting is strict: a spelling, a case, a list where one thing was meant never
cost a fee, but an amount that has to be guessed leaves its customer without one. Nothing here
raises on a vendor's data, and nothing here names a vendor.
"""
