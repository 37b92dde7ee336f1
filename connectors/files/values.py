"""Cells of an export to values: amounts, yes and no, categories, Salesforce ids."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, NamedTuple

from connectors.files.problems import BadCell
from connectors.records import MONEY_SCALE, ChangeSource, ForecastCategory

DecimalMark = Literal[".", ","]

EMPTY = frozenset({"", "-", "null", "none", "n/a", "na", "nil", "\\n", "[null]", "(blank)"})
_LONGEST_EMPTY = max(map(len, EMPTY))
_LARGEST = 2**63 - 1
_REMEMBERED = 50_000  # the same ids, stages and amounts stand in row after row
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "####")
_SIGNS = "$€£¥₹"
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'\u2019_]")
_CODE = re.compile(r"(?:([A-Z]{3})(?=[\d.,(+-]))?(.*?)(?:(?<=[\d.,)])([A-Z]{3}))?")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*|[+-]?[.,]\d+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d{1,3}")
_YES = frozenset({"true", "1", "yes", "y", "t", "wahr", "vrai", "x"})
_NO = frozenset({"false", "0", "no", "n", "f", "falsch", "faux"})

_FORECASTS: dict[str, ForecastCategory] = {
    "omitted": "omitted",
    "omit": "omitted",
    "notforecasted": "omitted",
    "pipeline": "pipeline",
    "bestcase": "best_case",
    "mostlikely": "most_likely",
    "probable": "most_likely",
    "commit": "commit",
    "forecast": "commit",  # Salesforce: the API value of the category labelled Commit
    "closed": "closed",
    "closedwon": "closed",
}
_SOURCES: dict[str, ChangeSource] = {
    "user": "user",
    "crmui": "user",  # HubSpot: PropertySource of a version
    "mobileios": "user",
    "mobileandroid": "user",
    "workflow": "workflow",
    "workflows": "workflow",
    "automationplatform": "workflow",
    "import": "import",
    "api": "api",
    "integration": "api",
    "integrationsplatform": "api",
    "system": "system",
    "deals": "system",
    "calculated": "system",
}


class Money(NamedTuple):
    """An amount in 1/10,000 of the unit, and the ISO code where the cell told one."""

    amount: int
    currency: str | None


def is_empty(text: str) -> bool:
    """Whether a trimmed cell says that there is no value."""
    return len(text) <= _LONGEST_EMPTY and text.lower() in EMPTY


def refuse_formula(text: str) -> None:
    """Raise BadCell for what a spreadsheet should have calculated, or failed to."""
    if text.startswith("="):
        raise BadCell("formula", "is a formula, not a value")
    if text.startswith(_ERRORS):
        raise BadCell("formula", "is a spreadsheet's error, not a value")


@lru_cache(_REMEMBERED)
def plain(text: str) -> str:
    """A label without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@lru_cache(_REMEMBERED)
def money(text: str, mark: DecimalMark | None) -> Money:
    """Read an amount; `mark` is the decimal mark where it is known. Raises BadCell."""
    bare, currency = _strip_currency(text)
    negative = bare.startswith("(") and bare.endswith(")")
    if negative:
        bare = bare[1:-1]
    if bare.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        raise BadCell("amount", "is not a number")
    if _SCIENTIFIC.fullmatch(bare):
        digits = bare.replace(",", ".")
    elif _NUMBER.fullmatch(bare):
        digits = _plain_digits(bare, mark)
    else:
        raise BadCell("amount", "is not an amount")
    try:
        scaled = round(Decimal(digits) * MONEY_SCALE)
    except InvalidOperation:
        raise BadCell("amount", "is not an amount") from None
    if abs(scaled) > _LARGEST:
        raise BadCell("amount", "is larger than any amount that can be kept")
    return Money(-scaled if negative else scaled, currency)


def _strip_currency(text: str) -> tuple[str, str | None]:
    bare = _SPACES.sub("", text)
    for sign in _SIGNS:
        bare = bare.replace(sign, "")
    match = _CODE.fullmatch(bare)
    if match is None:
        return bare, None
    return match[2], match[1] or match[3]


def _plain_digits(bare: str, mark: DecimalMark | None) -> str:
    found = _decimal_mark(bare) or (_lone_mark(bare, mark))
    whole, _, fraction = bare.partition(found) if found else (bare, "", "")
    if found and found in fraction:
        raise BadCell("amount", "has more than one decimal mark")
    groups = re.split(r"[.,]", whole.lstrip("+-"))
    if (
        len(groups) > 1
        and not (
            1 <= len(groups[0]) <= 3  # noqa: PLR2004
            and len(groups[-1]) == 3  # noqa: PLR2004
            and all(len(group) in (2, 3) for group in groups[1:-1])  # India groups by two
        )
    ):
        raise BadCell("amount", "its digits are not grouped by three")
    if not fraction.isdigit() and fraction:
        raise BadCell("amount", "its decimal mark comes before a group mark")
    sign = "-" if bare.startswith("-") else ""
    return f"{sign}{''.join(groups) or '0'}.{fraction or '0'}"


def _decimal_mark(bare: str) -> DecimalMark | None:
    """The decimal mark that the number itself gives away."""
    dots, commas = bare.count("."), bare.count(",")
    if dots and commas:
        return "." if bare.rindex(".") > bare.rindex(",") else ","
    if dots + commas != 1:
        return None
    lone: DecimalMark = "." if dots else ","
    whole, _, fraction = bare.lstrip("+-").partition(lone)
    thousands = len(fraction) == 3 and 1 <= len(whole) <= 3 and whole != "0"  # noqa: PLR2004
    return None if thousands else lone


def _lone_mark(bare: str, mark: DecimalMark | None) -> DecimalMark | None:
    """`1.234` and `1,234`: what the rest of the column says, else a point is decimal."""
    mark = mark or "."
    return mark if bare.count(mark) == 1 else None


def weigh_decimal_mark(texts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark of a column, where its numbers give away exactly one."""
    marks: set[DecimalMark] = set()
    for text in texts:
        bare, _ = _strip_currency(text)
        if not _NUMBER.fullmatch(bare):
            continue
        if (mark := _decimal_mark(bare)) is not None:
            marks.add(mark)
        elif bare.count(".") > 1:
            marks.add(",")
        elif bare.count(",") > 1:
            marks.add(".")
    return marks.pop() if len(marks) == 1 else None


def truth(text: str) -> bool:
    """Yes or no. Raises BadCell."""
    lowered = text.lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    raise BadCell("yes_no", "is neither yes nor no (true, false, 1, 0, yes, no)")


def whole_number(text: str) -> int:
    """A whole number, also as `3.0`. Raises BadCell."""
    value = number(text)
    if value != int(value):
        raise BadCell("number", "is not a whole number")
    return int(value)


def number(text: str) -> float:
    """A finite number, also as `75%`. Raises BadCell."""
    try:
        value = float(text.removesuffix("%").replace(",", "."))
    except ValueError:
        raise BadCell("number", "is not a number") from None
    if not math.isfinite(value):
        raise BadCell("number", "is not a number")
    return value


def forecast(text: str) -> ForecastCategory | None:
    """A forecast category by any CRM's own name for it; None for one that an admin made."""
    return _FORECASTS.get(plain(text))


def source(text: str) -> ChangeSource:
    """Who made a change, by any CRM's name for it; what says nothing is `unknown`."""
    return _SOURCES.get(plain(text), "unknown")


_PREFIXES = ("001", "003", "005", "006", "008", "00T", "00U", "00Q", "012", "00K")
_SHORT_ID = re.compile(r"[0-9A-Za-z]{15}")
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@lru_cache(_REMEMBERED)
def crm_id(text: str) -> str:
    """An id as it is; Salesforce's short form, which reports export, in its full form.

    The last three characters of the full form say which of the 15 are capitals:
    https://help.salesforce.com, "Record id 15 and 18 characters".
    """
    if len(text) > 64:  # noqa: PLR2004 - no CRM has such ids; the store keeps 64
        raise BadCell("id", "is longer than any id")
    if not text.isprintable():
        raise BadCell("control", "holds characters that can't be printed")
    if not (text.startswith(_PREFIXES) and _SHORT_ID.fullmatch(text)) or text.isdigit():
        return text
    chunks = (text[start : start + 5] for start in (0, 5, 10))
    return text + "".join(
        _SUFFIX[sum(1 << place for place, char in enumerate(chunk) if "A" <= char <= "Z")]
        for chunk in chunks
    )
