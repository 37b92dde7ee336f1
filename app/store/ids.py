"""Ids that programs outside see, and the keys that stand in a CRM.

Outside ids are opaque: `flg_...`, `deal_...` and `run_...`. A flag's or task's key is derived from
what it is about alone, so that a rebuilt database finds its own records again.
"""

import base64
import hashlib

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY_LENGTH = 26
_LONGEST = 13  # digits of LARGEST
LARGEST = 2**63 - 1  # what a column of ids can hold


def crm_key(*parts: str) -> str:
    """The key in the CRM of what `parts` identify: base32 of a hash, 26 upper-case letters."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return base64.b32encode(digest).decode()[:_KEY_LENGTH]


def flag_ref(connection_id: int, key: str) -> str:
    """The outside id of a flag."""
    return f"flg_{_encode(connection_id)}_{key}"


def parse_flag_ref(ref: str) -> tuple[int, str] | None:
    """(connection_id, key) of an outside id; None when it is none of ours."""
    match ref.split("_"):
        case ["flg", connection, key] if key:
            number = _decode(connection)
            return None if number is None else (number, key)
    return None


def deal_ref(deal_id: int) -> str:
    """The outside id of a deal."""
    return f"deal_{_encode(deal_id).rjust(8, '0')}"


def parse_deal_ref(ref: str) -> int | None:
    """The deal's id of an outside id; None when it is none of ours: an export may call its
    deals `deal_1`.
    """
    number = _decode(ref.removeprefix("deal_")) if ref.startswith("deal_") else None
    return None if number is None or ref != deal_ref(number) else number


def run_ref(run_id: int) -> str:
    """The outside id of a run."""
    return f"run_{_encode(run_id).rjust(8, '0')}"


def parse_run_ref(ref: str) -> int | None:
    """The run's id of an outside id; None when it is none of ours."""
    return _decode(ref.removeprefix("run_")) if ref.startswith("run_") else None


def _encode(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
        if number == 0:
            return text


def _decode(text: str) -> int | None:
    if not text or any(letter not in _DIGITS for letter in text):
        return None
    number = int(text[:_LONGEST], len(_DIGITS))
    return number if number <= LARGEST and len(text) <= _LONGEST else None
