import pytest

from adapters.exchange import Api, VendorRequest, follow_link

BASE = "https://bss.test/tmf-api/productInventory/v4/"
ASKED = VendorRequest(Api.PRODUCT_INVENTORY, "product", (("relatedParty.id", "7"),))


@pytest.mark.parametrize(
    "link",
    [
        f"{BASE}product?relatedParty.id=7&offset=100",
        "https://bss.test:443/tmf-api/productInventory/v4/product?relatedParty.id=7&offset=100",
        "/tmf-api/productInventory/v4/product?relatedParty.id=7&offset=100",
        "product?relatedParty.id=7&offset=100",
        "?relatedParty.id=7&offset=100",
    ],
)
def test_a_next_link_to_the_same_api_is_followed_however_it_is_written(link: str) -> None:
    followed = follow_link(BASE, ASKED, link)
    assert followed is not None
    assert (followed.path, followed.query) == (
        "product",
        (("relatedParty.id", "7"), ("offset", "100")),
    )


@pytest.mark.parametrize(
    "link",
    [
        "http://bss.test/tmf-api/productInventory/v4/product",
        "https://elsewhere.test/tmf-api/productInventory/v4/product",
        "https://bss.test:8443/tmf-api/productInventory/v4/product",
        "https://bss.test:99999/tmf-api/productInventory/v4/product",
        "https://bss.test@elsewhere.test/tmf-api/productInventory/v4/product",
        "https://me@bss.test/tmf-api/productInventory/v4/product",
        "//elsewhere.test/tmf-api/productInventory/v4/product",
        "/tmf-api/accountManagement/v4/billingAccount",
        "../v5/product",
        f"{BASE}%2e%2e/secret",
        "https://[bss.test/",
    ],
)
def test_a_next_link_that_would_carry_our_token_away_is_refused(link: str) -> None:
    assert follow_link(BASE, ASKED, link) is None
