"""Bytes of an export to text: byte order marks, UTF-16, and old Windows encodings."""

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4000


def decode(data: bytes) -> tuple[str, str | None]:
    """The text, and a warning where the encoding had to be taken on trust.

    Raises UnicodeDecodeError where a byte order mark promises what the bytes don't keep.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding), None
    if (unmarked := _utf16_without_mark(data)) is not None:
        return data.decode(unmarked), f"no byte order mark; read as {unmarked.upper()}"
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), "not UTF-8; read as Windows-1252"
    except UnicodeDecodeError:  # five bytes mean nothing in Windows-1252
        return data.decode("latin-1"), "not UTF-8; read as Latin-1"


def _utf16_without_mark(data: bytes) -> str | None:
    """Western text in UTF-16 has a NUL in every second byte; a stray NUL in UTF-8 has not."""
    even, odd = data[:_SAMPLE:2], data[1:_SAMPLE:2]
    if not odd:
        return None
    if odd.count(0) > 0.4 * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None
