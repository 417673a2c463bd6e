"""The products of one customer, each met once, and which bundle each belongs to.

A product may come as a row, again on another page, again inside its bundle (`product[]`), and
again in a `productRelationship`; as a whole, or as a reference that only has an id. TMF637 writes
"bundled" (v4) or "bundles" (v5) on the bundle, "bundledBy" (v5) on the part.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adapters.tmf.fields import Row, entries, folded, identifier, is_absent, is_row, is_same, one

_STANDING = ("status", "terminationDate", "startDate")
"""These say whether a product is charged now."""
_MATTERS = (*_STANDING, "productPrice", "billingAccount")
"""Two rows of one product that differ in these contradict each other."""
_SUBSTANCE = (*_MATTERS, "product", "productRelationship", "productOffering")
"""What makes a row more than a reference."""
_EQUAL_THEMSELVES = (str, list, dict)
"""NaN does not."""
_HOLDS = ("bundles", "bundled", "bundle", "contains", "hasbundled")
_IS_HELD_BY = ("bundledby", "isbundledby", "bundledin", "iscontainedin", "containedin")


@dataclass(slots=True, eq=False)
class Product:
    """One product, whatever number of times it was sent. Compared by identity."""

    id: str | None = field(repr=False)
    row: dict[str, object] = field(default_factory=dict, repr=False)
    bundles: list["Product"] = field(default_factory=list, repr=False)
    """The products that directly hold it."""
    is_garbled: bool = False
    """Its rows contradict each other, or hold what is no product."""
    is_wavering: bool = False
    """Its rows contradict each other on whether it is charged."""
    part_ids: set[str] = field(default_factory=set, repr=False)
    """Ids of what it directly holds, also of what was never sent whole."""

    @property
    def is_reference(self) -> bool:
        return self.row.keys().isdisjoint(_SUBSTANCE)

    def above(self) -> list["Product"]:
        """All bundles around it, the nearest first; itself too where they run in a circle."""
        found = list(self.bundles)
        for bundle in found:  # grows while it is walked
            found.extend(outer for outer in bundle.bundles if outer not in found)
        return found


def products_of(rows: Sequence[object]) -> list[Product] | None:
    """All products in the rows, in the order met; `None` when a row is no product at all."""
    met = _Met()
    sent_rows = [row for row in rows if is_row(row)]
    if len(sent_rows) < len(rows):
        return None
    waiting = [(met.meet(row), row) for row in sent_rows]
    for product, sent in waiting:  # grows by what each row holds
        if not (is_absent(sent.get("product")) and is_absent(sent.get("productRelationship"))):
            waiting.extend(met.open(product, sent))
    met.link()
    found = [product for product in met.products if not product.is_reference]
    for product in found:
        if product.bundles:
            product.is_garbled |= product in product.above()
    return found


class _Met:
    """The products met so far, and what was said of who holds whom."""

    def __init__(self) -> None:
        self.products: list[Product] = []
        self._by_id: dict[str, Product] = {}
        self._relations: list[tuple[Product, str, Product]] = []

    def meet(self, sent: Row) -> Product:
        """The product that was sent; a new one unless its id was met before."""
        product_id = identifier(sent.get("id"))
        product = self._by_id.get(product_id) if product_id else None
        if product is None:
            product = Product(product_id)
            self.products.append(product)
            if product_id:
                self._by_id[product_id] = product
        _merge(product, sent)
        return product

    def open(self, product: Product, sent: Row) -> list[tuple[Product, Row]]:
        """Meet the parts and bundles that were sent inside a product."""
        inside: list[tuple[Product, Row]] = []
        for relation, row in _related(sent):
            if row is None:
                product.is_garbled = True
                continue
            other = self.meet(row)
            self._relations.append((product, relation, other))
            inside.append((other, row))
        return inside

    def link(self) -> None:
        """Give each product its bundles, once everything is known of both ends."""
        for product, relation, other in self._relations:
            is_part = relation in _IS_HELD_BY or _is_written_on_the_part(relation, product, other)
            part, bundle = (product, other) if is_part else (other, product)
            if bundle not in part.bundles:
                part.bundles.append(bundle)
            if part.id:
                bundle.part_ids.add(part.id)


def _related(sent: Row) -> Iterator[tuple[str, Row | None]]:
    """What a product says of bundles and parts; `None` where it holds what is no product."""
    parts = entries(sent.get("product"))
    for part in (None,) if parts is None else parts:
        yield "bundles", part if is_row(part) else None
    for relation in entries(sent.get("productRelationship")) or ():
        kind, other = _relation(relation), _target(relation)
        if kind in (*_HOLDS, *_IS_HELD_BY) and other is not None:
            yield kind, other


def _merge(product: Product, sent: Row) -> None:
    """Take over what was not known; what contradicts what was known garbles the product."""
    is_new = not product.row
    for name, value in sent.items():
        if is_absent(value):
            continue
        known = product.row.setdefault(name, value)
        if is_new and isinstance(value, _EQUAL_THEMSELVES):
            continue
        if name in _MATTERS and not _says_the_same(known, value):
            product.is_garbled = True
            product.is_wavering |= name in _STANDING


def _says_the_same(known: object, value: object) -> bool:
    """Two spellings of one word, or one thing and a list of it."""
    if isinstance(known, str) and isinstance(value, str):
        return folded(known) == folded(value)
    return is_same(known, value) or (is_row(one(known)) and is_same(one(known), one(value)))


def _relation(relation: object) -> str:
    kind = folded(relation.get("relationshipType")) if is_row(relation) else None
    return re.sub(r"[\s_-]+", "", kind or "")


def _target(relation: object) -> Row | None:
    """v4 has the related product in `product`; v5 has its id on the relationship itself."""
    if not is_row(relation):
        return None
    nested = one(relation.get("product"))
    if nested is not None:
        return nested
    return None if is_absent(relation.get("id")) else {"id": relation["id"]}


def _is_written_on_the_part(relation: str, product: Product, other: Product) -> bool:
    """v4 defines "bundled" as written on the bundle; some write it on the part, and it shows."""
    is_part, may_hold = product.row.get("isBundle") is False, other.row.get("isBundle") is not False
    return relation == "bundled" and is_part and may_hold
