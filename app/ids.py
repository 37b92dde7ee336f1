"""Our ids as the outside sees them: opaque, with a kind in front (`flg_`, `deal_`, `run_`).

A reversible scramble of the row id, so that nobody counts or guesses by it and no table
needs a second key. It is no protection: access is checked where the row is read.
"""

from typing import Literal

from app.errors import NotFound

IdKind = Literal["flg", "deal", "run", "conn", "task"]

_BITS = 50  # ten letters of five bits
_FACTOR = 0x2545F4914F6CD  # odd, so that it has an inverse
_INVERSE = pow(_FACTOR, -1, 1 << _BITS)
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # no i l o u: none is misread


def encode(kind: IdKind, row_id: int) -> str:
    """The public id of a row: `flg_7k3m9x0q2a`."""
    scrambled = (row_id * _FACTOR) % (1 << _BITS)
    letters = (_LETTERS[(scrambled >> shift) & 31] for shift in range(_BITS - 5, -1, -5))
    return f"{kind}_{''.join(letters)}"


def decode(kind: IdKind, public: str) -> int:
    """The row id of a public id; NotFound for anything that can't be one."""
    prefix, _, letters = public.partition("_")
    if prefix != kind or len(letters) != _BITS // 5 or not set(letters) <= set(_LETTERS):
        raise NotFound(f"{public!r} is not an id of this kind; these begin with {kind}_")
    scrambled = 0
    for letter in letters:
        scrambled = scrambled << 5 | _LETTERS.index(letter)
    return (scrambled * _INVERSE) % (1 << _BITS)
