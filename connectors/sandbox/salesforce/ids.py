"""Record ids: 15 case-sensitive characters, and 3 more that make them case-safe."""

import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\Z")
_SERVER = "Fs000"
_SERIAL_LENGTH = 7
LENGTH = 18
MASTER_RECORD_TYPE = "012000000000000AAA"


@lru_cache(maxsize=65_536)
def _check(chunk: str) -> str:
    """One check character: which letters of five are capitals."""
    return _CHECK[sum(1 << bit for bit, char in enumerate(chunk) if "A" <= char <= "Z")]


def suffix(id15: str) -> str:
    """The 3 check characters."""
    return _check(id15[:5]) + _check(id15[5:10]) + _check(id15[10:15])


def make(prefix: str, serial: int) -> str:
    """The 18-character id number `serial` of an object; ids of one object sort by serial."""
    digits = ""
    while serial:
        serial, rest = divmod(serial, len(_DIGITS))
        digits = _DIGITS[rest] + digits
    id15 = prefix + _SERVER + digits.rjust(_SERIAL_LENGTH, "0")
    return id15 + suffix(id15)


def as_18(text: str) -> str | None:
    """`text` as an 18-character id, None if it is no id. 15 characters get their suffix;
    18 characters in the wrong case are mended, as Salesforce does.
    """
    if not _SHAPE.match(text):
        return None
    return text[:15] + suffix(text[:15]) if len(text) < LENGTH else text


def serial(crm_id: str) -> int:
    """The number that an id was made from."""
    number = 0
    for char in crm_id[len(crm_id) - 3 - _SERIAL_LENGTH : -3]:
        number = number * len(_DIGITS) + _DIGITS.index(char)
    return number
