"""Minor units of ISO 4217 currencies: how many decimals an amount of money is rounded to."""

import re
from decimal import Decimal

_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_TEN_THOUSANDTHS = "CLF UYW"

_MINOR_UNITS = {
    **dict.fromkeys(_WHOLE.split(), Decimal(1)),
    **dict.fromkeys(_THOUSANDTHS.split(), Decimal("0.001")),
    **dict.fromkeys(_TEN_THOUSANDTHS.split(), Decimal("0.0001")),
}
_HUNDREDTHS = Decimal("0.01")
_CODE = re.compile(r"[A-Za-z]{3}")


def minor_unit(currency: str) -> Decimal:
    """The smallest step of a currency: `Decimal("0.01")` for GBP, `Decimal(1)` for JPY."""
    return _MINOR_UNITS.get(currency, _HUNDREDTHS)


def currency_code(text: object) -> str | None:
    """The ISO 4217 code in `text`, trimmed and in capitals; `None` if it holds no code."""
    if not isinstance(text, str):
        return None
    code = text.strip()
    return code.upper() if _CODE.fullmatch(code) else None
